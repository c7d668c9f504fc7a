"""Errors that a user can cause: each names the field at fault, the problem and the remedy."""

from __future__ import annotations


class EqspikeError(Exception):
    """A mistake that its reader can mend: shown as one message, without a traceback.

    Parameters
    ----------
    problem : what is wrong, in one sentence.
    field : the recipe key, option, file or array at fault.
    remedy : what to do about it.
    """

    exit_code = 2

    def __init__(self, problem: str, *, field: str = "", remedy: str = "") -> None:
        self.problem, self.field, self.remedy = problem, field, remedy
        where = f"{field}: " if field else ""
        super().__init__(f"{where}{problem}" + (f" {remedy}" if remedy else ""))


class ConfigError(EqspikeError):
    """A recipe, a ``--set`` key or an option has an unknown name, a wrong type or a value out of range."""


class DataError(EqspikeError):
    """A data set is missing, damaged, or not what a classifier can be trained on."""


class RunFileError(EqspikeError):
    """A run file is missing, is not one, is damaged, or comes from a newer schema."""


class OutputError(EqspikeError):
    """A file cannot be written: it exists, or there is no space or no permission."""


class PlasticityError(EqspikeError):
    """A user's plasticity rule does not fit the interface."""


class ProbeError(EqspikeError):
    """A probe asks for something that the run cannot record."""


class ModelError(EqspikeError):
    """A model from another tool is damaged, declares what nobody should allocate, or has what cannot run here."""


class Interrupted(EqspikeError):
    """A run was stopped from outside; its last checkpoint is kept."""

    exit_code = 130
