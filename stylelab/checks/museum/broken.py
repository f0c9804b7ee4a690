"""The nine exhibits: pieces of style transfer as people write them, each with one bug."""

import torch


def descend(loss, image, steps):
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
    total = 0
    for features, target in zip(maps.values(), grams, strict=True):
        rows = features.flatten(2)
        gram = rows @ rows.mT / rows[0].numel()
        total = total + (gram - target).square().sum() / target.square().sum()
    return total / len(layers)


def read(pixels):
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
    return image.float() / 255


def content_target(pixels, network):
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    return network(image).detach()


def maps_of(stages, image, layers):
    maps, x = {}, image
    for name, stage in stages.items():
        x = stage(x)
        if name in layers:
            maps[name] = x
    return maps


def stylise(network, style_loss, photograph, steps):
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
    n, h, w, c = maps.shape
    rows = maps.reshape(n, c, h * w)
    return rows @ rows.mT / (c * h * w)


def descend_with_adam(loss, image, steps):
    x = image.clone().requires_grad_()
    optimiser = torch.optim.Adam([x], lr=0.03)
    for _ in range(steps):
        loss(x).backward()
        optimiser.step()
    return x.detach().clamp(0, 1)


def descend_in_one_call(loss, image, steps):
    x = image.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=steps, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        value = loss(x)
        value.backward()
        return value

    optimiser.step(closure)
    return x.detach().clamp(0, 1)
