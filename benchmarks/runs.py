"""What tables and pictures call things, and which results they show."""

#: run -> network, from few synapses to many
NETWORKS = {
    "cuba-4000": "Vogels–Abbott CUBA, 4,000",
    "coba-4000": "Vogels–Abbott COBA, 4,000",
    "mesh-spikes": "silent small-world mesh",
    "mesh": "small-world mesh with noise",
    "izhikevich2003": "Izhikevich 2003",
    "cuba-40000": "Vogels–Abbott CUBA, 40,000",
    "coba-40000": "Vogels–Abbott COBA, 40,000",
    "brunel": "Brunel",
    "hpc": "hpc_benchmark, static",
    "microcircuit": "Potjans–Diesmann microcircuit",
}
#: the same in a picture, where they would cover each other
SHORT = {
    name: label.removeprefix("Vogels–Abbott ").removeprefix("Potjans–Diesmann ").removesuffix(", static")
    for name, label in NETWORKS.items()
}
PEERS = {"nest": "NEST", "brian2": "Brian2"}


def whole_machine(reports: dict[str, dict]) -> dict[str, dict]:
    """The runs of the networks on every core."""
    return {name: reports[name] for name in NETWORKS if name in reports}


def by_threads(reports: dict[str, dict]) -> dict[str, list[dict]]:
    """For each network that ran on several numbers of threads: its reports, one thread first."""
    found = {
        name: [r for r in (reports.get(f"{name}-1-thread"), reports.get(name)) if r] for name in NETWORKS
    }
    return {name: runs for name, runs in found.items() if len(runs) > 1}
