"""Queues of events against lists that are sorted anew each time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.kernels.event_queue import (
    BY_TIME,
    COUNT,
    FIRST,
    ROOM,
    Arrivals,
    Heap,
    drop_first,
    first_arrival,
    is_full,
    next_time,
    put,
    send,
    take,
)
from eqspike.substrates.spiking.exact_state import with_room

pytestmark = pytest.mark.kernels
ITEMS = 12
TIMES = st.integers(0, 6).map(float)  # few, so that ties are common


def empty_heap() -> Heap:
    return Heap(np.zeros(ITEMS, np.int32), np.full(ITEMS, -1, np.int32), np.zeros(ITEMS), np.zeros(1, np.int64))


@given(moves=st.lists(st.tuples(st.integers(0, ITEMS - 1), st.none() | TIMES), max_size=60))
def test_heap_holds_the_earliest_and_of_equals_the_lowest_number(moves: list) -> None:
    heap, twin = empty_heap(), {}
    for item, time in moves:
        if time is not None:
            put(heap, item, time)
            twin[item] = time
        elif item in twin:
            take(heap, item)
            del twin[item]
        assert heap.size[0] == len(twin)
        assert next_time(heap, np.inf) == min(twin.values(), default=np.inf)
        if twin:
            assert heap.items[0] == min(twin, key=lambda one: (twin[one], one))
        assert [int(heap.place[one]) >= 0 for one in range(ITEMS)] == [one in twin for one in range(ITEMS)]


def test_heap_sorts_a_thousand() -> None:
    times = np.random.default_rng(1).uniform(0, 1, 1000)
    heap = Heap(np.zeros(1000, np.int32), np.full(1000, -1, np.int32), np.zeros(1000), np.zeros(1, np.int64))
    for item, time in enumerate(times):
        put(heap, item, time)
    order = []
    while heap.size[0]:
        order.append(int(heap.items[0]))
        take(heap, order[-1])
    assert order == list(np.argsort(times))


def queues(by_time: bool) -> Arrivals:
    """Two queues of room 2, the second under test."""
    table = np.zeros((2, 6), np.int64)
    table[:, FIRST], table[:, ROOM], table[:, BY_TIME] = (0, 2), 2, by_time
    return Arrivals(table, np.zeros(4), np.zeros(4, np.int32), np.zeros(4, np.int64))


@given(moves=st.lists(st.none() | st.tuples(TIMES, st.integers(0, 99)), max_size=60), by_time=st.booleans())
def test_arrivals_leave_by_time_and_order_of_emission(moves: list, by_time: bool) -> None:
    arrivals, twin, latest = queues(by_time), [], 0.0
    send(arrivals, 0, 5.0, 7)
    for number, move in enumerate(moves):
        if move is None:
            if twin:
                drop_first(arrivals, 1)
                twin.pop(0)
        else:
            time, neuron = move
            latest = time if by_time else latest + time  # what is sent last arrives last if all delays are equal
            if is_full(arrivals, 1):
                arrivals = with_room(arrivals, 1)
            send(arrivals, 1, latest, neuron)
            twin = sorted([*twin, (latest, number, neuron)])
        assert arrivals.table[1, COUNT] == len(twin)
        if twin:
            at = first_arrival(arrivals, 1)
            assert (arrivals.time[at], arrivals.neuron[at]) == (twin[0][0], twin[0][2])
    assert arrivals.neuron[first_arrival(arrivals, 0)] == 7


def test_a_thousand_arrivals_overtake_each_other() -> None:
    times, order = np.random.default_rng(2).integers(0, 100, 1000), []
    arrivals = queues(by_time=True)
    for neuron, time in enumerate(times):
        if is_full(arrivals, 1):
            arrivals = with_room(arrivals, 1)
        send(arrivals, 1, float(time), neuron)
    while arrivals.table[1, COUNT]:
        order.append(int(arrivals.neuron[first_arrival(arrivals, 1)]))
        drop_first(arrivals, 1)
    assert order == list(np.argsort(times, kind="stable"))
