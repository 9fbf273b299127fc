"""Train a reader of digits and simulate it: every spike is the trained network's, also with weights of 8 bits.

Prints:

    trained: ...% of 360 digits
    24-bit weights moved by ... at most
    cpu: ... spikes, all as trained
    event: ... spikes, all as trained
    cpu with 8-bit weights: ... spikes, all as its module, ... of 16 answers as before
"""

import torch

import treplica as tr
from treplica.learning import (
    Linear,
    Neurons,
    Sequential,
    Trainer,
    TrainingSettings,
    encode,
    from_torch,
    losses,
    snap_,
)

torch.manual_seed(0)
train, test = (encode(tr.datasets.digits(split), "latency", steps=10) for split in ("train", "test"))
cell = tr.LIF(tau=10.0, v=0.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0)
network = Sequential(Linear(64, 60), Neurons(cell), Linear(60, 10), Neurons(cell))
settings = TrainingSettings(epochs=4, batch=32, lr=0.02, seed=1, threads=1)
trainer = Trainer(network, losses.RateCrossEntropy(scale=2.0), settings)
trainer.fit(train)
result = trainer.evaluate(test)
print(f"trained: {100 * result.accuracy:.1f}% of {result.samples} digits")

network = network.double().eval()
print(f"24-bit weights moved by {snap_(network):.1g} at most")
x = torch.tensor(test.samples.dense(range(16))).double()
wanted = network(x).detach()
for engine in ("cpu", "event"):
    deployed = from_torch(network, 64)
    found = deployed.simulate(x, engine=engine)[deployed.output]
    assert torch.equal(found, wanted)
    print(f"{engine}: {int(found.sum())} spikes, all as trained")

snap_(network, weights="int8")
deployed = from_torch(network, 64)
found = deployed.simulate(x, engine="cpu", weights="int8")[deployed.output]
assert torch.equal(found, network(x))
same = int((found.sum(0).argmax(-1) == wanted.sum(0).argmax(-1)).sum())
print(f"cpu with 8-bit weights: {int(found.sum())} spikes, all as its module, {same} of 16 answers as before")
