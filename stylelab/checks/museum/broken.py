"""The nine exhibits: pieces of style transfer as people write them, each with one bug."""

import torch


def descend(loss, image, steps):
    """The picture after some steps of L-BFGS from image, (N, 3, H, W); loss: picture to scalar."""
    x = image.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=steps, line_search_fn="strong_wolfe")

    def closure():
        with torch.no_grad():
            x.clamp_(0, 1)
        optimiser.zero_grad()
        value = loss(x)
        value.backward()
        return value

    optimiser.step(closure)
    return x.detach()


def style_loss(maps, grams, layers):
    """Mean relative distance of the Gram matrices of maps, {layer: (N, C, H, W)}, to grams."""
    total = 0
    for features, target in zip(maps.values(), grams, strict=True):
        rows = features.flatten(2)
        gram = rows @ rows.mT / rows[0].numel()
        total = total + (gram - target).square().sum() / target.square().sum()
    return total / len(layers)


def read(pixels):
    """The image (1, 3, H, W) in [0, 1] of OpenCV's array (H, W, 3) of bytes."""
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
    return image.float() / 255


def content_target(pixels, network):
    """The maps of a photograph, (H, W, 3) of bytes; network: image in [0, 1] to maps."""
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    return network(image).detach()


def maps_of(stages, image, layers):
    """{layer: maps} of some layers of stages, {layer: module}; image: (N, 3, H, W)."""
    maps, x = {}, image
    for name, stage in stages.items():
        x = stage(x)
        if name in layers:
            maps[name] = x
    return maps


def stylise(network, style_loss, photograph, steps):
    """The photograph, (1, 3, H, W) in [0, 1], after some steps of Adam."""
    x = photograph.clone().requires_grad_()
    target = network(x)
    optimiser = torch.optim.Adam([x], lr=0.03)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = (network(x) - target).square().mean() + style_loss(x)
        loss.backward(retain_graph=True)
        optimiser.step()
    return x.detach().clamp(0, 1)


def gram_matrix(maps):
    """(N, C, C) of maps (N, H, W, C), divided by C·H·W."""
    n, h, w, c = maps.shape
    rows = maps.reshape(n, c, h * w)
    return rows @ rows.mT / (c * h * w)


def descend_with_adam(loss, image, steps):
    """The picture after some steps of Adam from image, (N, 3, H, W); loss: picture to scalar."""
    x = image.clone().requires_grad_()
    optimiser = torch.optim.Adam([x], lr=0.03)
    for _ in range(steps):
        loss(x).backward()
        optimiser.step()
    return x.detach().clamp(0, 1)


def descend_in_one_call(loss, image, steps):
    """The picture after some steps of L-BFGS from image, (N, 3, H, W); loss: picture to scalar."""
    x = image.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=steps, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        value = loss(x)
        value.backward()
        return value

    optimiser.step(closure)
    return x.detach().clamp(0, 1)
