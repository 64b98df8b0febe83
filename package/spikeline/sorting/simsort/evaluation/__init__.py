"""How well SimSort's two networks do their parts, beside plain methods that do the same parts.

`detection_tables` scores detected peaks against true spikes, `identification_tables` how well features of true spikes
tell units apart; both give the tables that figures are drawn from. `steps` is what a workflow's rules call.
"""
