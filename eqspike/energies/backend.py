"""The one door to JAX: one thread a process, so that results do not depend on the machine's cores."""

from __future__ import annotations

import os

from eqspike.core.errors import ConfigError

_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_ONE_THREAD}".strip()
os.environ.setdefault("NPROC", "1")  # the size of XLA's own thread pool, which no flag sets

try:
    import jax
    import jax.numpy as jnp
    import optax
except ModuleNotFoundError as error:
    raise ConfigError(
        f"energy-based networks need {error.name}, which is not installed.",
        field="substrate",
        remedy="Install it with: pip install 'eqspike[jax]'",
    ) from None

__all__ = ["jax", "jnp", "optax"]
