// A picture that tells where it is touched; and, for the lab around it, what plain ipywidgets lack. Its export is
// added by touchable.py, so that other files can go on from here.

const MOST_BYTES = 9_900_000; // as in choosing.py
const TOO_LARGE = "stylelab: not sent, its bytes are ";

function render({ model, el }) {
    const picture = document.createElement("img");
    Object.assign(picture.style, { display: "block", width: "100%", height: "auto" });
    picture.draggable = false; // or the browser would carry a copy of the picture away
    el.append(picture);

    const draw = () => {
        const bytes = model.get("value");
        if (!bytes.byteLength) return;
        const before = picture.src;
        picture.src = URL.createObjectURL(new Blob([bytes], { type: `image/${model.get("format")}` }));
        URL.revokeObjectURL(before);
    };
    const describe = () => { picture.alt = model.get("alt"); };
    const invite = () => {
        picture.style.cursor = model.get("cursor");
        picture.style.touchAction = model.get("cursor") ? "none" : "auto"; // a finger drags or scrolls
    };
    // A picture has its own proportions, so a bound on its height is one on its width.
    picture.addEventListener("load", () => {
        const height = model.get("height"), wide = picture.naturalWidth / picture.naturalHeight;
        picture.style.maxWidth = height === "none" ? "none" : `calc(${height} * ${wide})`;
    });
    model.on("change:value", draw);
    model.on("change:alt", describe);
    model.on("change:cursor", invite);
    draw();
    describe();
    invite();
    tellTouches(picture, model);
    return whenOnPage(el, () => tidyUp(el.closest(".stylelab-lab")));
}

// Sends {phase: "down" | "move" | "up", x, y}, the place as shares of the picture; a move once a frame at most.
function tellTouches(picture, model) {
    let pointer = null; // the one that drags
    let newest = null; // its last move, until it is told
    const tell = (phase, event) => {
        const box = picture.getBoundingClientRect();
        const share = length => Math.min(1, Math.max(0, length));
        const x = share((event.clientX - box.left) / box.width);
        const y = share((event.clientY - box.top) / box.height);
        model.send({ phase, x, y });
    };
    const tellNewest = () => {
        if (newest) tell("move", newest);
        newest = null;
    };
    picture.addEventListener("pointerdown", event => {
        if (!model.get("cursor") || event.button !== 0 || pointer !== null) return;
        pointer = event.pointerId;
        picture.setPointerCapture(pointer); // a drag goes on beyond the edge
        tell("down", event);
    });
    picture.addEventListener("pointermove", event => {
        if (event.pointerId !== pointer) return;
        if (!newest) requestAnimationFrame(tellNewest);
        newest = event;
    });
    for (const end of ["pointerup", "pointercancel"]) {
        picture.addEventListener(end, event => {
            if (event.pointerId !== pointer) return;
            tellNewest();
            tell("up", event);
            pointer = null;
        });
    }
}

// A widget is rendered before it is put on the page; once there, it has a size. Returns how to stop waiting.
function whenOnPage(el, action) {
    const arrival = new ResizeObserver(() => {
        if (!el.isConnected) return;
        arrival.disconnect();
        action();
    });
    arrival.observe(el);
    return () => arrival.disconnect();
}

// The handle of a slider has the role, but its label is another element: a screen reader would read no name.
// A button that is a picture has a title only, and perhaps a tick, which would be read in its stead.
// And a button for uploads ends with the number of its files, which nobody asks for: "upload (0)".
function tidyUp(lab) {
    if (!lab || lab.dataset.tidy) return;
    lab.dataset.tidy = "yes";
    const tidy = () => {
        for (const handle of lab.querySelectorAll(".noUi-handle:not([aria-label])")) {
            const label = handle.closest(".jupyter-widgets")?.querySelector(".widget-label")?.textContent;
            if (label) handle.setAttribute("aria-label", label);
        }
        for (const face of lab.querySelectorAll("button.stylelab-face:not([aria-label])")) {
            face.setAttribute("aria-label", face.title);
        }
        for (const button of lab.querySelectorAll("button.stylelab-upload")) {
            const text = button.lastChild, plain = text?.textContent.replace(/ \(\d+\)$/, "");
            if (text && plain !== text.textContent) text.textContent = plain;
        }
    };
    new MutationObserver(tidy).observe(lab, { childList: true, subtree: true });
    tidy();
}

// In Jupyter a key on a control is also a command: an arrow leaves a menu for the next cell, and D twice
// deletes the cell. Jupyter leaves an element with this attribute alone, and no other inside it: so for plain
// keys whatever has the focus gets one.
function keepKeys(event) {
    const forJupyter = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (!event.target.closest?.(".stylelab-lab")) return;
    event.target.toggleAttribute("data-lm-suppress-shortcuts", !forJupyter);
}

// A notebook server ends a connection that sends 10 MiB in one message, without a word. So what is too large
// does not leave the page: a note of its size goes in its stead, and the lab complains.
function shrink(files) {
    const sent = new DataTransfer();
    for (const file of files) {
        sent.items.add(file.size > MOST_BYTES ? new File([TOO_LARGE + file.size], file.name) : file);
    }
    return sent.files;
}

// ipywidgets keeps its field for files off the page. The one moment to meet it is when the button, clicked,
// calls the field's own click().
function guardUpload(event) {
    if (!event.target.closest?.(".stylelab-lab .stylelab-upload")) return;
    const fields = HTMLInputElement.prototype, click = fields.click;
    fields.click = function () {
        fields.click = click;
        if (!this.guarded) this.addEventListener("change", () => { this.files = shrink(this.files); }, true);
        this.guarded = true;
        this.click();
    };
    setTimeout(() => { fields.click = click; });
}

// Each picture brings this module along; the page needs to listen once, and before Jupyter does.
if (!window.stylelabListens) {
    window.stylelabListens = true;
    window.addEventListener("keydown", keepKeys, true);
    window.addEventListener("click", guardUpload, true);
}
