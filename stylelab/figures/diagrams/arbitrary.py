"""Any painting at once: down through VGG-19, and up again with a painting's statistics."""

from stylelab.arbitrary.decoders import MAPS
from stylelab.arbitrary.stylists import AdaIN, AnyStyle
from stylelab.figures.diagrams.sheet import INK, MARGIN, STYLE, STYLE_INK, WIDTH, Diagram, Sheet
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import resize

CAPTION = (
    "Down the left side VGG-19 takes the photograph to ever deeper maps, up the right side the decoders go "
    "back. At each level on the way the maps get the painting's statistics (orange)."
)
TOP, STEP = 72, 62  # of the first level, and from one to the next, in CSS pixels
PICTURE = 132  # of a picture, in width
WIDE, TALL = 124, 30  # of the boxes


def any_style_diagram(
    method: AnyStyle | None = None,
    style: str = "starry_night",
    content: str = "pagoda",
    caption: str = CAPTION,
) -> Diagram:
    """AdaIN or WCT as it is, at work on a sample photograph.

    method: AdaIN with the course's decoders by default. style: a painting, content: a photograph, as
    load_image reads them.
    """
    method = method or AdaIN()
    photograph, painting = load_image(content, 256), load_image(style, 256)
    painted = method.stylise(photograph, painting)
    levels = list(method.encode(photograph))
    sheet, count = Sheet(), len(levels)
    left, right = MARGIN + PICTURE + 14, WIDTH - MARGIN - PICTURE - 14
    middle = WIDTH / 2
    down, up = left + 30, right - 30 - WIDE
    for x, image, title in (
        (MARGIN, photograph, "photograph"),
        (WIDTH - MARGIN - PICTURE, painted, "painted"),
    ):
        tall = PICTURE * image.shape[-2] / image.shape[-1]
        sheet.picture(resize(image, 256).clamp(0, 1), x, TOP + TALL / 2 - tall / 2, PICTURE, tall)
        sheet.text(x + PICTURE / 2, TOP + TALL / 2 + tall / 2 + 20, title, 12.5, "middle", bold=True)
    for centre, title in ((down + WIDE / 2, "VGG-19"), (up + WIDE / 2, "decoders")):
        sheet.text(centre, TOP - 20, title, 12.5, "middle", bold=True)
    sheet.text(middle, TOP - 20, "statistics exchanged", 12.5, "middle", STYLE_INK, bold=True)
    sheet.path([(MARGIN + PICTURE + 4, TOP + TALL / 2), (down - 4, TOP + TALL / 2)], arrow=True)
    sheet.path([(up + WIDE + 4, TOP + TALL / 2), (WIDTH - MARGIN - PICTURE - 4, TOP + TALL / 2)], arrow=True)
    for number, level in enumerate(levels):
        y = float(TOP + number * STEP)
        deepest = number == count - 1
        sheet.box(down, y, WIDE, TALL, corner=3)
        sheet.text(down + WIDE / 2, y + 19, f"{level}, {MAPS[number + 1]} maps", 12, "middle", INK)
        sheet.box(up, y, WIDE, TALL, corner=3)
        sheet.text(up + WIDE / 2, y + 19, f"as {level}", 12, "middle", INK)
        sheet.box(middle - 46, y, 92, TALL, "none", STYLE, 1.8, 3)
        sheet.text(middle, y + 19, "mean, spread", 11.5, "middle", STYLE_INK)
        if deepest:
            sheet.path([(down + WIDE + 4, y + TALL / 2), (middle - 50, y + TALL / 2)], arrow=True)
        else:
            sheet.path([(down + WIDE / 2, y + TALL + 3), (down + WIDE / 2, y + STEP - 3)], arrow=True)
            sheet.path([(up + WIDE / 2, y + STEP - 3), (up + WIDE / 2, y + TALL + 3)], arrow=True)
            sheet.path([(middle, y + STEP - 1), (middle, y + TALL + 1)], STYLE, 1.2)
        sheet.path([(middle + 50, y + TALL / 2), (up - 4, y + TALL / 2)], STYLE, 1.8, arrow=True)
    bottom = TOP + (count - 1) * STEP + TALL
    tall = 84 * painting.shape[-2] / painting.shape[-1]
    sheet.picture(resize(painting, 200).clamp(0, 1), middle - 42, bottom + 36, 84, tall)
    sheet.path([(middle, bottom + 32), (middle, bottom + 6)], STYLE, 1.8, arrow=True)
    sheet.text(middle + 54, bottom + 36 + tall / 2, "painting, through the same VGG-19", 11.5, "start", INK)
    description = (
        f"The photograph's maps at {levels[-1]} get the painting's statistics; a decoder makes of them maps "
        f"as at the level above, which get the painting's statistics in turn, and so on up to the pixels."
    )
    return sheet.finish(bottom + 36 + tall + 10, "Any painting at once", caption, description)
