"""COBA in Brian2."""

import vogels_abbott_brian2
import with_brian2

with_brian2.measure(vogels_abbott_brian2.build)
