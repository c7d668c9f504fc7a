"""Counts of a small network as a user would write them down."""

from __future__ import annotations

TABLE = """phase,entity,counter,count
,run,schema,1
,run,tick_s,1e-6
,a,neurons,4
,b,neurons,2
,a->b,synapses,8
,a->b,weight_bits,8
go,run,presentations,1e1
go,run,ticks,100
go,a,spikes,30
go,a->b,synaptic_events_forward,60
go,b,neuron_updates,200
"""
