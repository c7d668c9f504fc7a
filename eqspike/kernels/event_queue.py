"""What is to come, in order of time: a heap that knows where its items are, and queues of arrivals.

A heap holds numbers of neurons (or of inputs, or of queues), each at most once, by time and then by number; an item is
moved or taken out by its number in logarithmic time. A queue holds the arrivals of one projection by time and then by
order of emission: a ring where all delays are equal, since then what is sent last arrives last, else a heap.
"""

from __future__ import annotations

from collections import namedtuple

from eqspike.core.jit import inline

# items (n,) int32, the first size[0] of them a binary heap; by item, place (n,) int32, -1 outside, and key (n,) times.
Heap = namedtuple("Heap", "items place key size")

# table (P, 6) int64 by queue; time (room,), neuron (room,) int32 and order (room,) int64 of all queues.
Arrivals = namedtuple("Arrivals", "table time neuron order")
FIRST, ROOM, HEAD, COUNT, SENT, BY_TIME = 0, 1, 2, 3, 4, 5


@inline
def _rise(heap, k):
    """Move the item at place ``k`` up to where it belongs."""
    items, place, key = heap.items, heap.place, heap.key
    item = items[k]
    time = key[item]
    while k > 0:
        above = (k - 1) >> 1
        other = items[above]
        if key[other] < time or (key[other] == time and other < item):
            break
        items[k] = other
        place[other] = k
        k = above
    items[k] = item
    place[item] = k


@inline
def _sink(heap, k):
    """Move the item at place ``k`` down to where it belongs."""
    items, place, key, size = heap.items, heap.place, heap.key, heap.size[0]
    item = items[k]
    time = key[item]
    while 2 * k + 1 < size:
        below = 2 * k + 1
        if below + 1 < size:
            left, right = items[below], items[below + 1]
            if key[right] < key[left] or (key[right] == key[left] and right < left):
                below += 1
        other = items[below]
        if time < key[other] or (time == key[other] and item < other):
            break
        items[k] = other
        place[other] = k
        k = below
    items[k] = item
    place[item] = k


@inline
def put(heap, item, time):
    """Insert ``item`` at ``time``, or move it there."""
    k = heap.place[item]
    if k < 0:
        k = heap.size[0]
        heap.size[0] = k + 1
        heap.items[k] = item
        heap.key[item] = time
        _rise(heap, k)
    elif time > heap.key[item]:
        heap.key[item] = time
        _sink(heap, k)
    else:
        heap.key[item] = time
        _rise(heap, k)


@inline
def take(heap, item):
    """Take ``item`` out; it must be in."""
    k = heap.place[item]
    heap.place[item] = -1
    heap.size[0] -= 1
    last = heap.items[heap.size[0]]
    if last != item:
        heap.items[k] = last
        heap.place[last] = k
        _rise(heap, k)
        _sink(heap, heap.place[last])


@inline
def next_time(heap, never):
    """Return the time of the first item, ``never`` where there is none."""
    return heap.key[heap.items[0]] if heap.size[0] > 0 else never


@inline
def is_full(arrivals, p):
    """Return whether queue ``p`` has no room for another arrival."""
    return arrivals.table[p, COUNT] == arrivals.table[p, ROOM]


@inline
def first_arrival(arrivals, p):
    """Return where the first arrival of queue ``p`` stands, which must hold one."""
    return arrivals.table[p, FIRST] + arrivals.table[p, HEAD]


@inline
def _earlier(arrivals, a, b):
    """Return whether the arrival at place ``a`` comes before that at place ``b``."""
    if arrivals.time[a] == arrivals.time[b]:
        return arrivals.order[a] < arrivals.order[b]
    return arrivals.time[a] < arrivals.time[b]


@inline
def _swap(arrivals, a, b):
    time, neuron, order = arrivals.time[a], arrivals.neuron[a], arrivals.order[a]
    arrivals.time[a], arrivals.neuron[a], arrivals.order[a] = arrivals.time[b], arrivals.neuron[b], arrivals.order[b]
    arrivals.time[b], arrivals.neuron[b], arrivals.order[b] = time, neuron, order


@inline
def send(arrivals, p, time, neuron):
    """Append the arrival of a spike of ``neuron`` at ``time`` to queue ``p``, which must have room."""
    row = arrivals.table[p]
    first, k = row[FIRST], row[COUNT] + row[HEAD]
    if k >= row[ROOM]:
        k -= row[ROOM]
    arrivals.time[first + k], arrivals.neuron[first + k], arrivals.order[first + k] = time, neuron, row[SENT]
    row[COUNT] += 1
    row[SENT] += 1
    if row[BY_TIME]:
        while k > 0 and _earlier(arrivals, first + k, first + ((k - 1) >> 1)):
            _swap(arrivals, first + k, first + ((k - 1) >> 1))
            k = (k - 1) >> 1


@inline
def drop_first(arrivals, p):
    """Take the first arrival out of queue ``p``."""
    row = arrivals.table[p]
    row[COUNT] -= 1
    if not row[BY_TIME]:
        row[HEAD] = row[HEAD] + 1 if row[HEAD] + 1 < row[ROOM] else 0
        return
    first, count, k = row[FIRST], row[COUNT], 0
    _swap(arrivals, first, first + count)
    while 2 * k + 1 < count:
        below = 2 * k + 1
        if below + 1 < count and _earlier(arrivals, first + below + 1, first + below):
            below += 1
        if not _earlier(arrivals, first + below, first + k):
            break
        _swap(arrivals, first + k, first + below)
        k = below
