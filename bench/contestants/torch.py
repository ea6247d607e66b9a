"""Contestants on PyTorch: tensors in memory, DataLoader, channels last, compiled."""

from bench.contestants import protocol, task
from bench.labs import LABS
from common.files import Problem

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

LOG_EVERY = 10  # batches between two looks at the loss, as pytorch/examples does


class LastState(nn.Module):
    """An LSTM over the rows of an image, of which the last state is passed on."""

    def __init__(self, inputs, units):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0][:, -1]


def build_model(known, start):
    """The network of `known` with Keras' start weights, in PyTorch's shapes."""
    weights = [torch.from_numpy(array) for array in start]
    modules, shape = [], (28, 28)  # of the signal: maps last, as in Keras
    flat_maps = None
    for layer in known["layers"]:
        match layer["kind"]:
            case "image":
                modules.append(nn.Unflatten(1, (1, 28)))
                shape = (28, 28, 1)
            case "flatten":
                modules.append(nn.Flatten())
                flat_maps = shape if len(shape) == 3 else None
                shape = (int(np.prod(shape)),)
            case "dense":
                kernel, bias = weights.pop(0), weights.pop(0)
                if flat_maps:  # PyTorch flattens with the maps first
                    kernel = kernel.reshape(*flat_maps, -1).permute(2, 0, 1, 3)
                    kernel, flat_maps = kernel.reshape(shape[0], -1), None
                dense = nn.Linear(*kernel.shape)
                dense.weight.data.copy_(kernel.T)
                dense.bias.data.copy_(bias)
                modules.append(dense)
                shape = (layer["units"],)
            case "dropout":
                modules.append(nn.Dropout(layer["rate"]))
            case "conv":
                side, maps = layer["kernel"], layer["maps"]
                conv = nn.Conv2d(
                    shape[2], maps, side, padding=layer["padding"], bias=layer["bias"]
                )
                conv.weight.data.copy_(weights.pop(0).permute(3, 2, 0, 1))
                if layer["bias"]:
                    conv.bias.data.copy_(weights.pop(0))
                modules.append(conv)
                lost = side - 1 if layer["padding"] == "valid" else 0
                shape = (shape[0] - lost, shape[1] - lost, maps)
            case "pool":
                modules.append(nn.MaxPool2d(layer["size"]))
                shape = (shape[0] // layer["size"], shape[1] // layer["size"], shape[2])
            case "lstm":
                last = LastState(shape[1], layer["units"])
                last.lstm.weight_ih_l0.data.copy_(weights.pop(0).T)
                last.lstm.weight_hh_l0.data.copy_(weights.pop(0).T)
                last.lstm.bias_ih_l0.data.copy_(weights.pop(0))
                last.lstm.bias_hh_l0.data.zero_()  # a second bias, that Keras has not
                modules.append(last)
                shape = (layer["units"],)
        if layer.get("activation", "linear") == "relu":
            modules.append(nn.ReLU())
    return nn.Sequential(*modules)


def network(job, gate, device, known, start):
    """Train the network for ever by one of the variants."""
    (x, y), (x_test, y_test) = task.mnist(job.images)
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    model = build_model(known, start).to(device)
    if job.variant == "last":
        model = model.to(memory_format=torch.channels_last)
    gate.about["parameters"] = sum(weight.numel() for weight in model.parameters())
    adam = torch.optim.Adam(
        model.parameters(),
        known["learning_rate"],
        eps=known["epsilon"],
        # The examples leave the choice to PyTorch; who cares for speed does not.
        fused=None if job.variant == "loader" else True,
    )

    def loss_of(images, labels):
        return functional.cross_entropy(model(images), labels)

    if job.variant == "compile":
        loss_of = torch.compile(loss_of)

    def step(images, labels):
        adam.zero_grad()
        loss = loss_of(images, labels)
        loss.backward()
        if known["clip"]:
            nn.utils.clip_grad_norm_(model.parameters(), known["clip"])
        adam.step()
        return loss

    size = known["batch_size"]
    loader = DataLoader(TensorDataset(x, y), batch_size=size, shuffle=True)

    def epoch_by_loader():
        for number, (images, labels) in enumerate(loader):
            loss = step(images.to(device), labels.to(device))
            if number % LOG_EVERY == 0:
                loss.item()

    x_there, y_there = (
        (x, y) if job.variant == "loader" else (x.to(device), y.to(device))
    )

    def epoch_in_memory():
        order = torch.randperm(len(x_there), device=device)
        for chosen in order.split(size):
            step(x_there[chosen], y_there[chosen])

    @torch.no_grad()
    def score():
        model.eval()
        parts = torch.from_numpy(x_test).to(device).split(1000)
        answers = torch.cat([model(part).argmax(dim=1) for part in parts]).cpu()
        model.train()
        return task.percent(answers.numpy(), y_test)

    gate.score = score
    train_forever(
        gate, device, epoch_by_loader if job.variant == "loader" else epoch_in_memory
    )


def rbm(job, gate, device, known, start):
    """Train the Boltzmann machine by CD-1, as the recipe does, with tensors."""
    (x, _), (x_test, _) = task.mnist(job.images)
    x = torch.from_numpy(x.reshape(-1, 784)).to(device)
    w, b, c = (torch.from_numpy(array).to(device) for array in start)
    rate = known["learning_rate"]
    gate.about["parameters"] = w.numel() + b.numel() + c.numel()
    gate.score = lambda: task.reconstruction_error(
        x_test.reshape(-1, 784), *(array.cpu().numpy() for array in (w, b, c))
    )

    @torch.no_grad()
    def epoch():
        for chosen in torch.randperm(len(x), device=device).split(known["batch_size"]):
            v0 = x[chosen]
            h0 = torch.addmm(c, v0, w).sigmoid_()
            v1 = torch.addmm(b, h0.bernoulli(), w.T).sigmoid_().bernoulli()
            h1 = torch.addmm(c, v1, w).sigmoid_()
            scale = rate / len(v0)
            w.addmm_(v0.T, h0, alpha=scale).addmm_(v1.T, h1, alpha=-scale)
            b.add_((v0 - v1).mean(dim=0), alpha=rate)
            c.add_((h0 - h1).mean(dim=0), alpha=rate)

    train_forever(gate, device, epoch)


def xor(job, gate, device, known, start):
    """Train all XOR networks at once, as a batch of matrices [networks, in, out]."""
    x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float32)
    y = torch.tensor([[0], [1], [1], [0]], dtype=torch.float32)
    networks = start[0].shape[-1]
    x, y = (part.expand(networks, -1, -1).to(device) for part in (x, y))
    gate.about["parameters"] = sum(array.size for array in start)
    steps, rate = known["steps"], known["learning_rate"]
    losses = torch.empty(steps, networks, device=device)

    def epoch():
        weights = []
        for kernel, bias in zip(start[::2], start[1::2], strict=True):
            weights.append(torch.from_numpy(kernel).permute(2, 0, 1))
            weights.append(torch.from_numpy(bias).T[:, None])
        weights = [w.to(device).contiguous().requires_grad_() for w in weights]
        for step in range(steps):
            signal = x
            for layer in range(0, len(weights), 2):
                if layer:
                    signal = signal.sigmoid()
                signal = torch.baddbmm(weights[layer + 1], signal, weights[layer])
            cost = functional.binary_cross_entropy_with_logits(
                signal, y, reduction="none"
            ).mean(dim=(1, 2))
            losses[step] = cost.detach()
            gradients = torch.autograd.grad(cost.sum(), weights)
            with torch.no_grad():
                torch._foreach_sub_(weights, gradients, alpha=rate)
        final = [w.detach().cpu().numpy() for w in weights]
        kernels = [w.transpose(1, 2, 0) for w in final[::2]]
        biases = [w[:, 0].T for w in final[1::2]]
        ordered = [w for pair in zip(kernels, biases, strict=True) for w in pair]
        gate.score = lambda: task.learned_xor(ordered)

    train_forever(gate, device, epoch)


def train_forever(gate, device, epoch):
    while True:
        gate.wait()
        epoch()
        if device.type == "cuda":
            torch.cuda.synchronize()


def enter(job, gate):
    if job.device == "gpu" and not torch.cuda.is_available():
        raise Problem("PyTorch sees no GPU here")
    device = torch.device("cuda" if job.device == "gpu" else "cpu")
    if device.type == "cuda":
        described = f"GPU:0 ({torch.cuda.get_device_name()})"
    else:
        described = f"CPU ({torch.get_num_threads()} threads)"
    gate.about |= {"device": described, "version": f"PyTorch {torch.__version__}"}
    torch.manual_seed(0)
    known, start = protocol.read_network(job.shared)
    loops = {"network": network, "rbm": rbm, "xor": xor}
    loops[LABS[job.lab].loop](job, gate, device, known, start)


if __name__ == "__main__":
    protocol.main(enter, ("memory", "last", "loader", "compile"))
