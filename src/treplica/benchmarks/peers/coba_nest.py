"""COBA in NEST."""

import vogels_abbott_nest
import with_nest

with_nest.measure(vogels_abbott_nest.build)
