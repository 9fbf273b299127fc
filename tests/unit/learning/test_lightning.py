"""Layers in somebody else's trainer: Lightning trains, saves and loads them as any module."""

import pytest

import treplica as tr

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
lightning = pytest.importorskip("pytorch_lightning")


class Reader(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        cell = tr.LIF(tau=10.0, v=0.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0)
        self.layers = learning.Sequential(
            learning.Linear(20, 16),
            learning.Neurons(cell, 16, learn=("tau",)),
            learning.Recurrent(learning.Neurons(cell), 16),
            learning.Linear(16, 2),
            learning.Neurons(tr.LeakyIntegrator(v=0.0, v_rest=0.0), output="v"),
        )

    def forward(self, x):
        return self.layers(x.transpose(0, 1)).mean(0)

    def training_step(self, batch, index):
        x, labels = batch
        loss = torch.nn.functional.cross_entropy(self(x), labels)
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.02)


@pytest.mark.filterwarnings("ignore")
def test_lightning_trains_saves_and_loads(tmp_path) -> None:
    torch.manual_seed(0)
    labels = torch.arange(64) % 2
    rates = torch.where((torch.arange(20) < 10) == (labels[:, None] == 0), 0.4, 0.05)
    x = (torch.rand(64, 12, 20) < rates[:, None]).float()
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, labels), 16)
    choices = dict(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    trainer = lightning.Trainer(max_epochs=8, default_root_dir=tmp_path, **choices)
    module = Reader()
    trainer.fit(module, data)
    with torch.no_grad():
        assert (module(x).argmax(1) == labels).float().mean() > 0.9
        trainer.save_checkpoint(tmp_path / "reader.ckpt")
        again = Reader.load_from_checkpoint(tmp_path / "reader.ckpt")
        assert torch.equal(again(x), module(x))
