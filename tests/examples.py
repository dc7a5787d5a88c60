"""The pytest plugin that chooses the examples of hypothesis.

The same each time, and nothing is remembered: what is red was made red by the change. `--hypothesis-profile=new` tries
new and more ones, by `--hypothesis-seed=N` the same again. Neither judges how fast they come: the machine may be busy.
What a test sets itself stays. Each profile says all: where CI is set, hypothesis's own defaults are others.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "new",
    max_examples=500,
    derandomize=False,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("same")
