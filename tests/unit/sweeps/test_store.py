"""The folder of a sweep: what counts as there, and what as not."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike.core.errors import ConfigError
from eqspike.sweeps.shard import Shard
from eqspike.sweeps.store import Store

RECORD = {"id": "ab", "status": "done", "results": {"test_accuracy": 0.5}}


def test_a_record_cut_short_anywhere_counts_as_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_record(RECORD)
    path = store.record_file("ab")
    whole = path.read_bytes()
    assert store.is_done("ab") and store.record("ab")["results"] == {"test_accuracy": 0.5}
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert not store.is_done("ab"), length
    path.write_bytes(b"\0" * len(whole))  # what a power cut leaves on some file systems
    assert not store.is_done("ab")


def test_a_record_of_another_run_or_a_failed_one_is_not_done(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_record(RECORD | {"status": "failed", "error": "no"})
    assert not store.is_done("ab") and store.record("ab")["error"] == "no"
    store.record_file("cd").write_bytes(store.record_file("ab").read_bytes())
    assert store.record("cd") is None


def test_a_design_is_written_once_and_damage_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ConfigError, match=r"there is no sweep\.json"):
        store.design()
    store.write_design({"runs": [{"id": "ab"}]})
    before = store.design_file.stat().st_mtime_ns, store.design_file.stat().st_ino
    store.write_design({"runs": [{"id": "ab"}]})
    assert (store.design_file.stat().st_mtime_ns, store.design_file.stat().st_ino) == before
    store.write_record(RECORD)
    assert [record["id"] for record in store.records()] == ["ab"]
    store.design_file.write_bytes(store.design_file.read_bytes()[:-5])
    with pytest.raises(ConfigError, match="no sweep's design"):
        store.design()


def test_shares_are_disjoint_and_leave_nothing_out() -> None:
    ids = [f"{number:04x}" for number in (7, 3, 9, 1, 5, 2, 8)]
    shares = [Shard.parse(f"{number}/3").of_ids(ids) for number in (1, 2, 3)]
    assert sorted(name for share in shares for name in share) == sorted(ids)
    assert {len(share) for share in shares} == {2, 3}
    assert Shard.parse("1/3").of_ids(reversed(ids)) == shares[0]
    assert Shard.parse(None).of_ids(ids) == set(ids)
    assert Shard.parse("9/9").of_ids(ids) == set()


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "-1/2", "1/0", ""])
def test_no_share_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="--shard"):
        Shard.parse(text)
