// Paint on a picture: a map with the number of a region, or 0, for each pixel, drawn as a veil of colour above it.
// Follows touchable.js, which makes the picture. The map is changed here, at once, and told when a stroke ends.

const VEIL = 0.5; // how opaque a region is, but for its edge
const STEPS = 40; // of the rectangle, from one side of the picture to the other
const KEYS = "Arrow keys move a rectangle, with Shift they change its size; Enter fills it with the region, Delete "
    + "erases in it, Ctrl+Z takes the last change back.";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function renderPaintable({ model, el }) {
    const stop = render({ model, el });
    const [picture, surface, canvas, brush, rectangle, spoken] = [el.querySelector("img"),
        ...["div", "canvas", "div", "div", "span"].map(tag => document.createElement(tag))];
    surface.append(canvas, brush, rectangle, spoken);
    el.append(surface);
    el.classList.add("stylelab-paintable");
    surface.className = "stylelab-surface";
    brush.className = "stylelab-brush";
    rectangle.className = "stylelab-rectangle";
    spoken.className = "stylelab-spoken";
    spoken.setAttribute("aria-live", "polite");
    surface.tabIndex = 0;
    surface.setAttribute("role", "application"); // a screen reader leaves it the arrow keys

    const paint = makePaint(model, canvas);
    const describe = () => surface.setAttribute("aria-label", `${model.get("alt")} ${KEYS}`);
    model.on("change:alt", describe);
    model.on("change:painted", paint.take);
    describe();
    paint.take();
    listenToPointer(surface, brush, model, paint);
    listenToKeys(surface, rectangle, spoken, model, paint);
    const size = new ResizeObserver(() => {
        Object.assign(surface.style, { width: `${picture.clientWidth}px`, height: `${picture.clientHeight}px` });
    });
    size.observe(picture);
    return () => { size.disconnect(); stop(); };
}

// The map, and all that changes it. Places are in pixels of the photograph; a pixel's centre is at a half.
function makePaint(model, canvas) {
    const pen = canvas.getContext("2d");
    let width = 0, height = 0, map = new Uint8Array(0);
    let told = 0; // the number of the last stroke that Python was told of
    let stroke = null; // the one that is being made: {region, radius, places}

    const draw = (left, top, right, bottom) => {
        [left, top] = [Math.max(0, left), Math.max(0, top)];
        [right, bottom] = [Math.min(width, right), Math.min(height, bottom)];
        if (left >= right || top >= bottom) return;
        const image = pen.createImageData(right - left, bottom - top), pixels = new Uint32Array(image.data.buffer);
        const colours = model.get("colours").map(colour => parseInt(colour.slice(1), 16));
        const swapped = colours.map(c => ((c & 255) << 16) | (c & 0xff00) | (c >> 16)); // as memory has it
        for (let y = top, k = 0; y < bottom; y++) {
            for (let x = left; x < right; x++, k++) {
                const at = y * width + x, region = map[at];
                if (!region) continue;
                const edge = (x > 0 && map[at - 1] !== region) || (x < width - 1 && map[at + 1] !== region)
                    || (y > 0 && map[at - width] !== region) || (y < height - 1 && map[at + width] !== region);
                pixels[k] = ((edge ? 255 : Math.round(255 * VEIL)) << 24) | swapped[region - 1];
            }
        }
        pen.putImageData(image, left, top);
    };

    // All pixels whose centre is at most a radius away from the line between two places.
    const stamp = ({ region, radius }, [x0, y0], [x1, y1]) => {
        const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
        const left = Math.max(0, Math.floor(Math.min(x0, x1) - radius));
        const right = Math.min(width, Math.ceil(Math.max(x0, x1) + radius));
        const top = Math.max(0, Math.floor(Math.min(y0, y1) - radius));
        const bottom = Math.min(height, Math.ceil(Math.max(y0, y1) + radius));
        for (let y = top; y < bottom; y++) {
            for (let x = left; x < right; x++) {
                const px = x + 0.5 - x0, py = y + 0.5 - y0;
                const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
                if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= radius * radius) map[y * width + x] = region;
            }
        }
        draw(left - 1, top - 1, right + 1, bottom + 1);
    };
    const retrace = () => stroke.places.forEach((place, k, all) => stamp(stroke, all[Math.max(0, k - 1)], place));

    // As many times a region as it follows itself, row by row: 32 bits each, the region in the lowest three.
    const tell = () => {
        const runs = [];
        for (let k = 0, start = 0; k < map.length; k++) {
            if (map[k + 1] === map[k]) continue;
            runs.push((k + 1 - start) * 8 + map[k]);
            start = k + 1;
        }
        model.send({ kind: "painted", stroke: ++told }, undefined, [new Uint32Array(runs).buffer]);
    };

    return {
        get shape() { return [width, height]; },
        get painting() { return stroke !== null; },
        // Takes over what Python has; but not the answer to a stroke that was followed by another, on its way there.
        take() {
            const news = model.get("painted");
            if (news.stroke < told) return;
            told = news.stroke;
            if (news.width !== width || news.height !== height) {
                [width, height] = [canvas.width, canvas.height] = [news.width, news.height];
                stroke = null;
            }
            const { buffer, byteOffset, byteLength } = news.runs;
            map = new Uint8Array(width * height);
            let at = 0;
            for (const run of new Uint32Array(buffer.slice(byteOffset, byteOffset + byteLength))) {
                map.fill(run & 7, at, at += run >>> 3);
            }
            draw(0, 0, width, height);
            if (stroke) retrace();
        },
        begin(place) {
            stroke = { region: model.get("region"), radius: model.get("brush") / 2, places: [place] };
            retrace();
        },
        onwards(place) {
            stroke.places.push(place);
            stamp(stroke, stroke.places.at(-2), place);
        },
        end() {
            if (stroke) tell();
            stroke = null;
        },
        fill(region, left, top, across, down) {
            for (let y = top; y < top + down; y++) map.fill(region, y * width + left, y * width + left + across);
            draw(left - 1, top - 1, left + across + 1, top + down + 1);
            tell();
        },
    };
}

function listenToPointer(surface, brush, model, paint) {
    let pointer = null; // the one that paints
    const place = event => {
        const box = surface.getBoundingClientRect(), [width, height] = paint.shape;
        return [(event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height];
    };
    const showBrush = event => { // a ring, as large as what it would paint
        const [x, y] = place(event), [width, height] = paint.shape, size = model.get("brush");
        Object.assign(brush.style, { width: `${100 * size / width}%`, height: `${100 * size / height}%`,
            left: `${100 * (x - size / 2) / width}%`, top: `${100 * (y - size / 2) / height}%` });
    };
    surface.addEventListener("pointerdown", event => {
        if (event.button !== 0 || pointer !== null) return;
        pointer = event.pointerId;
        surface.setPointerCapture(pointer); // a stroke goes on beyond the edge
        surface.classList.remove("stylelab-by-keys");
        paint.begin(place(event));
    });
    surface.addEventListener("pointermove", event => {
        showBrush(event);
        if (event.pointerId !== pointer || !paint.painting) return;
        const between = event.getCoalescedEvents?.() ?? []; // a fast pointer moves several times a frame
        for (const move of between.length ? between : [event]) paint.onwards(place(move));
    });
    for (const end of ["pointerup", "pointercancel"]) {
        surface.addEventListener(end, event => {
            if (event.pointerId !== pointer) return;
            pointer = null;
            paint.end();
        });
    }
}

function listenToKeys(surface, rectangle, spoken, model, paint) {
    let box = null, shape = ""; // [left, top, across, down], and the size of the picture it lies on
    const place = () => {
        const [width, height] = paint.shape;
        if (shape !== `${width} ${height}`) { // a picture of another shape: a quarter of it, in its middle
            shape = `${width} ${height}`;
            const across = Math.ceil(width / 4), down = Math.ceil(height / 4);
            box = [Math.floor((width - across) / 2), Math.floor((height - down) / 2), across, down];
        }
        const [left, top, across, down] = box, share = (part, whole) => `${100 * part / whole}%`;
        Object.assign(rectangle.style, { left: share(left, width), top: share(top, height),
            width: share(across, width), height: share(down, height) });
    };
    const within = (value, low, high) => Math.min(high, Math.max(low, value));
    const move = ([right, down], resize) => {
        const [width, height] = paint.shape, step = Math.max(1, Math.round(Math.max(width, height) / STEPS));
        const [x, y, w, h] = box, [dx, dy] = [right * step, down * step];
        box = resize ? [x, y, within(w + dx, 1, width - x), within(h + dy, 1, height - y)]
            : [within(x + dx, 0, width - w), within(y + dy, 0, height - h), w, h];
        place();
        spoken.textContent = `${box[2]} by ${box[3]} pixels, ${box[0]} from the left, ${box[1]} from the top`;
    };
    const fill = region => {
        paint.fill(region, ...box);
        spoken.textContent = region ? `filled with region ${region}` : "erased";
    };
    const forUs = event => {
        const modifiers = event.ctrlKey || event.metaKey || event.altKey;
        if (event.key in ARROWS) return !modifiers;
        if (event.key === "z") return (event.ctrlKey || event.metaKey) && !event.altKey;
        return ["Enter", " ", "Delete", "Backspace"].includes(event.key) && !modifiers && !event.shiftKey;
    };
    surface.addEventListener("keydown", event => {
        if (!forUs(event)) return;
        event.preventDefault(); // by which Jupyter too knows that it is not for it
        if (paint.painting) return;
        place();
        surface.classList.add("stylelab-by-keys");
        if (event.key in ARROWS) move(ARROWS[event.key], event.shiftKey);
        else if (event.ctrlKey || event.metaKey) model.send({ kind: "undo" });
        else fill(["Enter", " "].includes(event.key) ? model.get("region") : 0);
    });
    surface.addEventListener("focus", () => {
        if (!surface.matches(":focus-visible")) return;
        place();
        surface.classList.add("stylelab-by-keys");
    });
    surface.addEventListener("blur", () => surface.classList.remove("stylelab-by-keys"));
}
