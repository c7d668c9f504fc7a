from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import metadata

import h5py
import numpy as np

from eqspike.recording import current_environment
from eqspike.recording.environment import package_version


def test_it_names_versions_platform_and_time():
    found = current_environment()
    assert found["numpy"] == np.__version__
    assert found["h5py"] == h5py.__version__
    assert found["numba"] == metadata.version("numba")
    assert int(found["cpu_count"]) >= 1
    assert found["cpu"] and found["platform"] and found["python"].count(".") == 2
    assert abs(datetime.now(UTC) - datetime.fromisoformat(found["created"])) < timedelta(minutes=1)
    assert all(isinstance(value, str) for value in found.values())


def test_a_missing_package_is_said_to_be_missing():
    assert package_version("no-such-distribution-of-eqspike") == "not installed"
