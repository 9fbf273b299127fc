"""A NIR file run by another library's own loading, in the library's environment: imports nothing of Treplica.

One JSON argument: library, file, reset ("zero" or "subtract"), dt in s, inputs (a .npy of [T, B, ...]), out (a .npz
that gets the spikes of every layer of neurons, [T, B, ...], by the name of its module).
"""

import json
import sys
import warnings

import nir
import numpy as np
import torch

warnings.filterwarnings("ignore")


class InOrder(torch.nn.Module):
    """Modules one after the other that take and give states, for a library whose own executor refuses a graph."""

    def __init__(self, modules):
        super().__init__()
        self.parts = torch.nn.ModuleDict(modules)

    def forward(self, x, state):
        state = state or {}
        for name, part in self.parts.items():
            if not is_neuron(part):
                x = part(x)
            elif type(part).__name__.startswith("R"):  # it keeps its spikes, and does not begin without
                zeros = torch.zeros(len(x), part.linear_features)
                state[name] = part(x, *state.get(name, (zeros, zeros, zeros)))
                x = state[name][0]
            else:
                x = part(x)
        return x, state


def by_norse(graph, reset, dt):
    import norse.torch as norse
    from norse.torch.functional import reset as resets

    method = resets.reset_value if reset == "zero" else resets.reset_subtract
    return norse.from_nir(graph, ignore_warnings=True, reset_method=method, dt=dt)


def by_snntorch(graph, reset, dt):
    """dt and reset are fixed there: 1e-4 s and to zero."""
    from snntorch import import_nir

    return import_nir.import_from_nir(graph)


def by_snntorch_parts(graph, reset, dt):
    """The modules that snnTorch makes of nodes, in the order of the graph."""
    from snntorch import import_nir

    graph = import_nir._replace_rnn_subgraph_with_nirgraph(graph)
    after, name, modules = dict(graph.edges), "input", {}
    while (name := after[name]) in graph.nodes and not isinstance(graph.nodes[name], nir.Output):
        node = graph.nodes[name]
        hidden = not isinstance(node, nir.NIRGraph)
        modules[name] = import_nir._nir_to_snntorch_module(node, init_hidden=hidden)
    return InOrder(modules)


LIBRARIES = {"norse": by_norse, "snntorch": by_snntorch, "snntorch_parts": by_snntorch_parts}


def is_neuron(module):
    return type(module).__name__ in (
        "Synaptic",
        "RSynaptic",
        "Leaky",
        "RLeaky",
        "CubaLIF",
        "LIFBoxCell",
        "IAFCell",
    )


def spikes_of(made):
    return made[0] if isinstance(made, tuple) else made


def main(library, file, reset, dt, inputs, out):
    module = LIBRARIES[library](nir.read(file), reset, dt)
    kept = {}
    inside = [f"{name}." for name, part in module.named_modules() if is_neuron(part)]
    for name, part in module.named_modules():
        if is_neuron(part) and not name.startswith(tuple(inside)):
            keep = lambda _, __, made, name=name: kept.setdefault(name, []).append(spikes_of(made))  # noqa: E731
            part.register_forward_hook(keep)
    state = None
    with torch.no_grad():
        for x in torch.tensor(np.load(inputs), dtype=torch.float32):
            _, state = module(x, state)
    np.savez(
        out, **{name.replace("parts.", ""): torch.stack(spikes).numpy() for name, spikes in kept.items()}
    )


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
