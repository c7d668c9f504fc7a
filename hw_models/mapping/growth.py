"""Compiled walks over 10^8 synapses: grow clusters, move neurons between them, fill cores.

Synapses are compressed rows: those of neuron i are ``targets[starts[i]:starts[i + 1]]``. Every kernel writes into
arrays that its caller allocated.
"""

from __future__ import annotations

from hw_models.jit import inline, kernel

LEVELS = 256  # steps in which the share of a neuron's synapses that lie inside a cluster is told apart
GROUP, MARK, GAIN, SCALE, HEARD, COLUMNS = 0, 1, 2, 3, 4, 8  # of a neuron's record while clusters grow
_SAMPLE = 32  # clusters after which growing asks whether it gains anything
_PATIENCE = 64  # neurons that do not fit, tried one after the other, before a core is closed


@inline
def _raise(neuron, cluster, nodes, heads, following, members, used):
    """Note one more synapse between a free ``neuron`` and the growing cluster; return (level, pool in use)."""
    if nodes[neuron, GROUP] >= 0:
        return -1, used
    if nodes[neuron, MARK] != cluster:
        nodes[neuron, MARK] = cluster
        nodes[neuron, GAIN] = 0
    elif nodes[neuron, GAIN] < 0:  # it did not fit
        return -1, used
    gain, scale = nodes[neuron, GAIN], nodes[neuron, SCALE]
    nodes[neuron, GAIN] = gain + 1
    level = ((gain + 1) * scale) >> 16
    if (gain > 0 and level == (gain * scale) >> 16) or used == len(members):
        return -1, used
    members[used] = neuron
    following[used] = heads[level]
    heads[level] = used
    return level, used + 1


@inline
def _fresh(neuron, cluster, in_starts, sources, nodes):
    """Return how many sources of ``neuron`` the growing cluster does not hear yet; HEARD tells."""
    fresh = 0
    for place in range(in_starts[neuron], in_starts[neuron + 1]):
        if nodes[sources[place], HEARD] < 2 * cluster:
            nodes[sources[place], HEARD] = 2 * cluster
            fresh += 1
    for place in range(in_starts[neuron], in_starts[neuron + 1]):
        if nodes[sources[place], HEARD] == 2 * cluster:
            nodes[sources[place], HEARD] = -1
    return fresh


@inline
def _highest(top, group_wanted, nodes, heads, following, members):
    """Take the free neuron with the highest level out of the pool; return (it or -1, its level)."""
    while top >= 0:
        place = heads[top]
        if place < 0:
            top -= 1
            continue
        heads[top] = following[place]
        neuron = members[place]
        if nodes[neuron, GROUP] < 0 and (nodes[neuron, GAIN] > 0 or not group_wanted):
            return neuron, top
    return -1, top


def _grow(
    starts, targets, in_starts, sources, weight, bits, seeds, most_neurons, most_bits, most_axons, least_share,
    nodes, heads, following, members,
):  # fmt: skip
    """Put every neuron into a cluster that a core can hold, always adding the one most of whose synapses lie inside.

    ``nodes`` (n, columns) holds what is asked of a neuron together: GROUP, MARK and HEARD begin at -1, SCALE is the
    level of one synapse in 2^16ths; GROUP receives cluster numbers. ``weight`` is 1 for neurons that take a place and 0
    for inputs, which only draw together those that they reach. Return the number of clusters, 0 where the first ones
    hold less than ``least_share`` of their neurons' synapses, or -1 - i where neuron i fits no empty core.
    """
    n = len(nodes)
    cluster, next_seed, hint, inside, ends = 0, 0, -1, 0, 0
    while True:
        neurons, memory, axons, used, top, refused = 0, 0, 0, 0, -1, 0
        for level in range(LEVELS):
            heads[level] = -1
        while refused < _PATIENCE and neurons < most_neurons:
            candidate, top = _highest(top, True, nodes, heads, following, members)
            if candidate < 0 and hint >= 0 and nodes[hint, GROUP] < 0:
                candidate = hint
            hint = -1
            if candidate < 0:
                while next_seed < n and nodes[seeds[next_seed], GROUP] >= 0:
                    next_seed += 1
                if next_seed == n:
                    return cluster + (neurons > 0)
                candidate = seeds[next_seed]
                if nodes[candidate, MARK] == cluster and nodes[candidate, GAIN] < 0:
                    break
            fresh, heard = 0, weight[candidate] > 0
            if heard and axons + in_starts[candidate + 1] - in_starts[candidate] > most_axons:
                fresh = _fresh(candidate, cluster, in_starts, sources, nodes)
            if axons + fresh > most_axons or memory + bits[candidate] > most_bits:
                if neurons == 0 and heard:
                    return -1 - candidate
                nodes[candidate, MARK] = cluster
                nodes[candidate, GAIN] = -1
                refused += 1
                continue
            if nodes[candidate, MARK] == cluster:
                inside += nodes[candidate, GAIN]
            ends += in_starts[candidate + 1] - in_starts[candidate] + starts[candidate + 1] - starts[candidate]
            nodes[candidate, GROUP] = cluster
            neurons += weight[candidate]
            memory += bits[candidate]
            for place in range(in_starts[candidate], in_starts[candidate + 1]):
                source = sources[place]
                if heard and nodes[source, HEARD] != 2 * cluster + 1:
                    nodes[source, HEARD] = 2 * cluster + 1
                    axons += 1
                level, used = _raise(source, cluster, nodes, heads, following, members, used)
                top = max(top, level)
            for place in range(starts[candidate], starts[candidate + 1]):
                level, used = _raise(targets[place], cluster, nodes, heads, following, members, used)
                top = max(top, level)
        hint, top = _highest(top, False, nodes, heads, following, members)  # the next cluster begins beside this one
        cluster += 1
        if cluster == _SAMPLE and 2 * inside < least_share * ends:
            return 0


grow = kernel(_grow)


def _stream(
    starts, targets, in_starts, sources, order, spikes, weight, bits, most_neurons, most_bits,
    group, neurons, memory, score, touched,
):  # fmt: skip
    """Move each neuron of ``order`` to the cluster with room that most of its spikes come from or go to.

    ``neurons`` and ``memory`` are what the clusters hold; ``score`` is zeros before and after. Return the number moved.
    """
    moved = 0
    for neuron in order:
        here, found = group[neuron], 0
        for place in range(in_starts[neuron], in_starts[neuron + 1]):
            other = group[sources[place]]
            if score[other] == 0.0:
                touched[found] = other
                found += 1
            score[other] += spikes[sources[place]]
        for place in range(starts[neuron], starts[neuron + 1]):
            other = group[targets[place]]
            if score[other] == 0.0:
                touched[found] = other
                found += 1
            score[other] += spikes[neuron]
        best, most = here, score[here]
        for k in range(found):
            other = touched[k]
            room = neurons[other] + weight[neuron] <= most_neurons and memory[other] + bits[neuron] <= most_bits
            if score[other] > most and room:
                best, most = other, score[other]
        for k in range(found):
            score[touched[k]] = 0.0
        if best != here:
            group[neuron] = best
            neurons[here] -= weight[neuron]
            neurons[best] += weight[neuron]
            memory[here] -= bits[neuron]
            memory[best] += bits[neuron]
            moved += 1
    return moved


stream = kernel(_stream)


def _fill(
    in_starts, sources, order, group, weight, bits, most_neurons, most_bits, most_axons, core, heard, tried
):  # fmt: skip
    """Give the neurons of ``order`` to cores, one core after the other, each as full as its limits allow.

    ``group`` numbers the clusters of ``order``: one that fits whole into the room left joins the core, else it begins
    the next; all zeros where there are none. ``heard`` and ``tried`` begin at -1. Return the number of cores, or
    -1 - i where neuron i fits no empty core.
    """
    now, neurons, memory, axons = 0, 0, 0, 0
    for k in range(len(order)):
        neuron = order[k]
        if neurons > 0 and k > 0 and group[neuron] != group[order[k - 1]]:
            last, more_neurons, more_memory, more_axons = k, 0, 0, 0
            while last < len(order) and group[order[last]] == group[neuron]:
                member = order[last]
                more_neurons += weight[member]
                more_memory += bits[member]
                if neurons + more_neurons > most_neurons or memory + more_memory > most_bits:
                    break
                for place in range(in_starts[member], in_starts[member + 1]):
                    if heard[sources[place]] != now and tried[sources[place]] != k:
                        tried[sources[place]] = k
                        more_axons += 1
                last += 1
            whole = last == len(order) or group[order[last]] != group[neuron]
            if not whole or axons + more_axons > most_axons:
                now, neurons, memory, axons = now + 1, 0, 0, 0
        for attempt in range(2):
            fresh = 0
            for place in range(in_starts[neuron], in_starts[neuron + 1]):
                if heard[sources[place]] != now:
                    heard[sources[place]] = now
                    fresh += 1
            room = neurons + weight[neuron] <= most_neurons and memory + bits[neuron] <= most_bits
            if room and axons + fresh <= most_axons:
                break
            if attempt == 1 or neurons == 0:
                return -1 - neuron
            now, neurons, memory, axons = now + 1, 0, 0, 0
        core[neuron] = now
        neurons += weight[neuron]
        memory += bits[neuron]
        axons += fresh
    return now + 1


fill = kernel(_fill)
