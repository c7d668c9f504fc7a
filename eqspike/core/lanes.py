"""Sixteen neighbouring elements of an array as one value, for loops that the compiler does not vectorise by itself.

``load(a, at)`` takes ``a[at : at + 16]``; ``+ - *`` act element by element, with scalars too; ``>=`` (also of signed
integers) and ``!=`` give a mask, which ``select`` reads, ``tally`` counts, and which added to integer lanes adds one
where it is set. Without Numba lanes are NumPy arrays of sixteen elements, and everything means the same. Rows that
lanes run over have to be padded to a multiple of ``LANES``: nothing checks their ends.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.core.extending import intrinsic, models, overload, register_model
from numba.np.arrayobj import make_array

LANES = 16
_I32 = ir.IntType(32)
_COUNTING = ir.Constant(ir.VectorType(_I32, LANES), list(range(LANES)))
_COMPRESSES = llvmlite.binding.llvm_version_info >= (19,)


class _Lanes(types.Type):
    """Numba's type of lanes of a scalar type, of a mask where that is boolean."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


_MASK = _Lanes(types.boolean)


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind) -> None:
        element = ir.IntType(1) if kind is _MASK else manager.lookup(kind.dtype).get_data_type()
        super().__init__(manager, kind, ir.VectorType(element, LANES))


def _spread(builder, scalar):
    undefined = ir.Constant(ir.VectorType(scalar.type, LANES), ir.Undefined)
    one = builder.insert_element(undefined, scalar, _I32(0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES))


def _place(context, builder, kind, array, at, vector):
    """Return the address of ``array[at]`` as that of lanes of ``vector`` type, and the array's alignment."""
    pointer = builder.gep(make_array(kind)(context, builder, array).data, [at])
    return builder.bitcast(pointer, vector.as_pointer()), context.get_abi_alignment(context.get_data_type(kind.dtype))


def _as_lanes(context, builder, value, kind, wanted: _Lanes):
    """Spread a scalar; turn a mask into zeros and ones of the wanted type."""
    if not isinstance(kind, _Lanes):
        return _spread(builder, value)
    if kind is _MASK and wanted is not _MASK:
        turn = builder.zext if isinstance(wanted.dtype, types.Integer) else builder.uitofp
        return turn(value, context.get_value_type(wanted))
    return value


@intrinsic
def _load(typing, array, at):
    made = _Lanes(array.dtype)

    def generate(context, builder, signature, arguments):
        vector = context.get_value_type(made)
        pointer, align = _place(context, builder, array, *arguments, vector)
        return builder.load(pointer, align=align)

    return made(array, types.intp), generate


@intrinsic
def _store(typing, array, at, values):
    wanted = _Lanes(array.dtype)

    def generate(context, builder, signature, arguments):
        lanes = _as_lanes(context, builder, arguments[2], values, wanted)
        pointer, align = _place(context, builder, array, *arguments[:2], lanes.type)
        builder.store(lanes, pointer, align=align)
        return context.get_dummy_value()

    return types.void(array, types.intp, values), generate


@intrinsic
def _append(typing, array, at, first, mask):
    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(_I32, LANES)
        pointer, align = _place(context, builder, array, *arguments[:2], vector)
        ids = builder.add(_COUNTING, _spread(builder, builder.trunc(arguments[2], _I32)))
        if _COMPRESSES:
            kind = ir.FunctionType(vector, [vector, ir.VectorType(ir.IntType(1), LANES), vector])
            name = f"llvm.experimental.vector.compress.v{LANES}i32"
            squeeze = cgutils.get_or_insert_function(builder.module, kind, name)
            undefined = ir.Constant(vector, ir.Undefined)
            builder.store(builder.call(squeeze, [ids, arguments[3], undefined]), pointer, align=align)
            return context.get_dummy_value()
        element = builder.bitcast(pointer, _I32.as_pointer())
        for lane in range(LANES):
            builder.store(builder.extract_element(ids, _I32(lane)), element)
            step = builder.zext(builder.extract_element(arguments[3], _I32(lane)), ir.IntType(64))
            element = builder.gep(element, [step])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, mask), generate


@intrinsic
def _filled(typing, value):
    def generate(context, builder, signature, arguments):
        return _spread(builder, arguments[0])

    return _Lanes(value)(value), generate


@intrinsic
def _with_lane(typing, lanes, lane, value):
    def generate(context, builder, signature, arguments):
        return builder.insert_element(arguments[0], arguments[2], builder.trunc(arguments[1], _I32))

    return lanes(lanes, types.intp, lanes.dtype), generate


@intrinsic
def _select(typing, mask, a, b):
    made = a if isinstance(a, _Lanes) else b

    def generate(context, builder, signature, arguments):
        ours, others = (_as_lanes(context, builder, arguments[k], signature.args[k], made) for k in (1, 2))
        return builder.select(arguments[0], ours, others)

    return made(mask, *(kind if isinstance(kind, _Lanes) else made.dtype for kind in (a, b))), generate


@intrinsic
def _tally(typing, mask):
    def generate(context, builder, signature, arguments):
        return builder.zext(builder.ctpop(builder.bitcast(arguments[0], ir.IntType(LANES))), ir.IntType(64))

    return types.int64(mask), generate


@intrinsic
def _sum_lanes(typing, lanes):
    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(_I32, [arguments[0].type])
        add = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.add.v{LANES}i32")
        return builder.sext(builder.call(add, arguments), ir.IntType(64))

    return types.int64(lanes), generate


@intrinsic
def _below(typing, n):
    def generate(context, builder, signature, arguments):
        return builder.icmp_signed("<", _COUNTING, _spread(builder, builder.trunc(arguments[0], _I32)))

    return _MASK(types.intp), generate


def _pairwise(of_reals: Callable, of_integers: Callable | None, *, compares: bool = False) -> Callable:
    """Return an intrinsic of two lanes, or of lanes and a scalar, by the builder's operations given."""

    @intrinsic
    def both(typing, a, b):
        made = a if isinstance(a, _Lanes) and a is not _MASK else b if isinstance(b, _Lanes) else a
        asked = [kind if isinstance(kind, _Lanes) else made.dtype for kind in (a, b)]
        act = of_integers if isinstance(made.dtype, types.Integer) else of_reals

        def generate(context, builder, signature, arguments):
            left, right = (_as_lanes(context, builder, arguments[k], signature.args[k], made) for k in (0, 1))
            return act(builder, left, right)

        return (_MASK if compares else made)(*asked), generate

    return both


def _overload(function: Callable, found: Callable) -> None:
    """Let kernels apply ``function`` of two arguments to lanes."""

    def typed(a, b):
        if isinstance(a, _Lanes) or isinstance(b, _Lanes):
            return lambda a, b: found(a, b)
        return None

    overload(function)(typed)


def _compiled_as(compiled: Callable) -> Callable:
    """Put an intrinsic in the place of a function, except where kernels are not compiled."""
    return lambda function: function if config.DISABLE_JIT else compiled


@_compiled_as(_load)
def load(array, at):
    """Return lanes with ``array[at : at + LANES]``."""
    return array[at : at + LANES].copy()


@_compiled_as(_store)
def store(array, at, values):
    """Put lanes, or a mask as zeros and ones, into ``array[at : at + LANES]``."""
    array[at : at + LANES] = values


@_compiled_as(_append)
def append(array, at, first, mask):
    """Write ``first`` + lane for every set lane of ``mask`` to ``array`` (int32), one after the other from ``at``.

    What stands in the rest of ``array[at : at + LANES]`` afterwards is undefined.
    """
    found = np.flatnonzero(mask)
    array[at : at + found.size] = first + found


@_compiled_as(_filled)
def filled(value):
    """Return lanes that all hold ``value``."""
    return np.full(LANES, value)


@_compiled_as(_with_lane)
def with_lane(lanes, lane, value):
    """Return ``lanes`` with one of them replaced."""
    changed = lanes.copy()
    changed[lane] = value
    return changed


@_compiled_as(_select)
def select(mask, a, b):
    """Return lanes of ``a`` where ``mask`` is set, else of ``b``; one of the two may be a scalar."""
    return np.where(mask, a, b)


@_compiled_as(_tally)
def tally(mask):
    """Return how many lanes of ``mask`` are set."""
    return int(np.count_nonzero(mask))


@_compiled_as(_sum_lanes)
def sum_lanes(lanes):
    """Return the sum of lanes of int32.

    A loop that only counts adds its masks to such lanes, one instruction each, and asks for the sum once at its end.
    """
    return int(lanes.sum())


@_compiled_as(_below)
def below(n):
    """Return the mask of the lanes whose number is below ``n``."""
    return np.arange(LANES) < n


def _greater(builder, a, low):
    return builder.select(builder.fcmp_ordered(">", low, a), low, a)


def _greater_integer(builder, a, low):
    return builder.select(builder.icmp_signed(">", low, a), low, a)


def _smaller(builder, a, high):
    return builder.select(builder.fcmp_ordered("<", high, a), high, a)


@_compiled_as(_pairwise(_greater, _greater_integer))
def at_least(a, low):
    """Return the greater of each lane of ``a`` and ``low``."""
    return np.where(low > a, low, a)


@_compiled_as(_pairwise(_smaller, None))
def at_most(a, high):
    """Return the smaller of each lane of ``a`` and ``high``."""
    return np.where(high < a, high, a)


for _function, _reals, _integers, _compares in (
    (operator.add, ir.IRBuilder.fadd, ir.IRBuilder.add, False),
    (operator.sub, ir.IRBuilder.fsub, ir.IRBuilder.sub, False),
    (operator.mul, ir.IRBuilder.fmul, ir.IRBuilder.mul, False),
    (
        operator.ge,
        lambda builder, a, b: builder.fcmp_ordered(">=", a, b),
        lambda builder, a, b: builder.icmp_signed(">=", a, b),
        True,
    ),
    (operator.ne, lambda builder, a, b: builder.fcmp_unordered("!=", a, b), None, True),
):
    _overload(_function, _pairwise(_reals, _integers, compares=_compares))
