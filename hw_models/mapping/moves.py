"""Compiled moves that lower the number of packets itself: neurons between cores, cores over the mesh."""

from __future__ import annotations

from hw_models.jit import inline, kernel

_TRIALS = 6  # partners that are tried where the better core is full


@inline
def _draw(state):
    """Return the next number of a small generator (Marsaglia's xorshift, 64 bits), kept in ``state[0]``."""
    word = state[0]
    word ^= (word << 13) & 0x7FFFFFFFFFFFFFFF
    word ^= word >> 7
    word ^= (word << 17) & 0x7FFFFFFFFFFFFFFF
    state[0] = word
    return word


@inline
def _saved(neuron, in_starts, sources, spikes, group, pins):
    """Return the packets that end when ``neuron`` leaves its core, less those that it then sends back there."""
    here, saved = group[neuron], 0.0
    for place in range(in_starts[neuron], in_starts[neuron + 1]):
        source = sources[place]
        if source != neuron and pins[source, here] == 1 and group[source] != here:
            saved += spikes[source]
    return saved - spikes[neuron] if pins[neuron, here] > 0 else saved


@inline
def _spent(neuron, there, in_starts, sources, spikes, group, pins):
    """Return the packets that begin when ``neuron`` joins core ``there``, less those that it then spares."""
    spent = 0.0
    for place in range(in_starts[neuron], in_starts[neuron + 1]):
        source = sources[place]
        if source != neuron and pins[source, there] == 0 and group[source] != there:
            spent += spikes[source]
    return spent - spikes[neuron] if pins[neuron, there] > 0 else spent


@inline
def _move(neuron, there, in_starts, sources, weight, bits, group, pins, neurons, memory, axons):
    """Move ``neuron`` to core ``there`` and keep the books."""
    here = group[neuron]
    for place in range(in_starts[neuron], in_starts[neuron + 1]):
        source = sources[place]
        pins[source, here] -= 1
        if pins[source, here] == 0:
            axons[here] -= 1
        if pins[source, there] == 0:
            axons[there] += 1
        pins[source, there] += 1
    neurons[here] -= weight[neuron]
    neurons[there] += weight[neuron]
    memory[here] -= bits[neuron]
    memory[there] += bits[neuron]
    group[neuron] = there


def _settle(
    in_starts, sources, order, spikes, weight, bits, most_neurons, most_bits, most_axons,
    group, pins, neurons, memory, axons, cost, state,
):  # fmt: skip
    """Move or swap every neuron of ``order`` where that lowers the packets; return how many packets that saved.

    ``pins[i, c]`` is the number of neurons in core c that neuron i reaches, each counted once and i itself not;
    ``axons[c]`` the number of i with ``pins[i, c]`` above 0.
    """
    gained = 0.0
    cores = pins.shape[1]
    for neuron in order:
        here = group[neuron]
        saved = _saved(neuron, in_starts, sources, spikes, group, pins)
        for core in range(cores):
            cost[core] = -spikes[neuron] if pins[neuron, core] > 0 else 0.0
        for place in range(in_starts[neuron], in_starts[neuron + 1]):
            source = sources[place]
            own, each = group[source], spikes[source]
            for core in range(cores):
                if pins[source, core] == 0 and core != own:
                    cost[core] += each
        best, most = -1, 1e-9
        for core in range(cores):
            if core != here and saved - cost[core] > most:
                best, most = core, saved - cost[core]
        if best < 0:
            continue
        _move(neuron, best, in_starts, sources, weight, bits, group, pins, neurons, memory, axons)
        full = neurons[best] > most_neurons or memory[best] > most_bits or axons[best] > most_axons
        if not full:
            gained += most
            continue
        partner, tries, settled = -1, 0, False
        while tries < _TRIALS * cores and not settled:
            tries += 1
            partner = order[_draw(state) % len(order)]
            if group[partner] != best or partner == neuron:
                continue
            back = _saved(partner, in_starts, sources, spikes, group, pins)
            back -= _spent(partner, here, in_starts, sources, spikes, group, pins)
            if most + back <= 1e-9:
                continue
            _move(partner, here, in_starts, sources, weight, bits, group, pins, neurons, memory, axons)
            settled = (
                max(neurons[best], neurons[here]) <= most_neurons
                and max(memory[best], memory[here]) <= most_bits
                and max(axons[best], axons[here]) <= most_axons
            )
            if settled:
                gained += most + back
            else:
                _move(partner, best, in_starts, sources, weight, bits, group, pins, neurons, memory, axons)
        if not settled:
            _move(neuron, here, in_starts, sources, weight, bits, group, pins, neurons, memory, axons)
    return gained


settle = kernel(_settle)


@inline
def _pull(core, slot, starts, others, packets, seat, x, y):
    """Return packets x hops of ``core`` if it sat in ``slot``."""
    total = 0.0
    for place in range(starts[core], starts[core + 1]):
        other = seat[others[place]]
        total += packets[place] * (abs(x[slot] - x[other]) + abs(y[slot] - y[other]))
    return total


def _sit(starts, others, packets, seat, holder, slots, x, y, budget, state):
    """Swap cores on the mesh where that lowers packets x hops, until ``budget`` pairs were looked at.

    ``seat[core]`` is its slot, ``holder[slot]`` its core or -1; ``slots`` (width, height, ...) finds a slot by place.
    """
    looked, cores, saved = 0, len(seat), 0.0
    while looked < budget:
        before = saved
        for core in range(cores):
            reach = starts[core + 1] - starts[core]
            looked += reach + 1
            if reach == 0:
                continue
            total, to_x, to_y = 0.0, 0.0, 0.0
            for place in range(starts[core], starts[core + 1]):
                other = seat[others[place]]
                total += packets[place]
                to_x += packets[place] * x[other]
                to_y += packets[place] * y[other]
            if total <= 0.0:
                continue
            for trial in range(4):
                aim_x = int(to_x / total + 0.5) + (_draw(state) % 5 - 2) * (trial > 0)
                aim_y = int(to_y / total + 0.5) + (_draw(state) % 5 - 2) * (trial > 0)
                aim_x = min(max(aim_x, 0), slots.shape[0] - 1)
                aim_y = min(max(aim_y, 0), slots.shape[1] - 1)
                slot = slots[aim_x, aim_y, _draw(state) % slots.shape[2]]
                mine, other = seat[core], holder[slot] if slot >= 0 else core
                if slot < 0 or other == core:
                    continue
                delta = _pull(core, mine, starts, others, packets, seat, x, y)
                delta -= _pull(core, slot, starts, others, packets, seat, x, y)
                if other >= 0:
                    delta += _pull(other, slot, starts, others, packets, seat, x, y)
                    delta -= _pull(other, mine, starts, others, packets, seat, x, y)
                    for place in range(starts[core], starts[core + 1]):
                        if others[place] == other:  # the two keep their distance
                            delta -= 2 * packets[place] * (abs(x[slot] - x[mine]) + abs(y[slot] - y[mine]))
                    looked += 2 * (starts[other + 1] - starts[other])
                looked += 3 * reach
                if delta > 1e-9:
                    seat[core], holder[slot], holder[mine] = slot, core, other
                    if other >= 0:
                        seat[other] = mine
                    saved += delta
        if saved - before <= 1e-3 * saved:
            break
    return saved


sit = kernel(_sit)


def _pair(starts, targets, core, spikes, seen, between):
    """Add to ``between`` (cores, cores) the spikes that each core sends to each other; not those of inputs."""
    for neuron in range(len(starts) - 1):
        here = core[neuron]
        if here < 0:
            continue
        for place in range(starts[neuron], starts[neuron + 1]):
            there = core[targets[place]]
            if there != here and seen[there] != neuron:
                seen[there] = neuron
                between[here, there] += spikes[neuron]


pair = kernel(_pair)


def _deliver(
    starts, targets, core, spikes, tile, x, y, chip_x, chip_y, seen, reached, packets, hops, borders, inflow, outside,
    axons,
):  # fmt: skip
    """Fill, for one spike of each neuron, its packets, their hops and the chip borders they cross.

    One packet goes to every other ``tile`` number among the cores that it reaches; a source outside the chip (core -1)
    enters at the origin. ``inflow`` receives the spikes that come into each core from others, ``outside`` those
    from outside the chip, ``axons`` its number of sources.
    """
    for neuron in range(len(starts) - 1):
        here = core[neuron]
        from_x = from_y = from_chip_x = from_chip_y = 0
        if here >= 0:
            from_x, from_y, from_chip_x, from_chip_y = x[here], y[here], chip_x[here], chip_y[here]
        for place in range(starts[neuron], starts[neuron + 1]):
            there = core[targets[place]]
            if seen[there] == neuron:
                continue
            seen[there] = neuron
            axons[there] += 1
            if there == here:
                continue
            if here >= 0:
                inflow[there] += spikes[neuron]
            else:
                outside[there] += spikes[neuron]
            if reached[tile[there]] != neuron:
                reached[tile[there]] = neuron
                packets[neuron] += 1
                hops[neuron] += abs(from_x - x[there]) + abs(from_y - y[there])
                borders[neuron] += abs(from_chip_x - chip_x[there]) + abs(from_chip_y - chip_y[there])


deliver = kernel(_deliver)
