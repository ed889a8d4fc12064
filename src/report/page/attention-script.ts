import { ATTENTION_STYLE } from "./attention-style.ts";
import type { Feature } from "./needs.ts";

/**
 * What pointing and pressing do. A head or token under the pointer, or with the keyboard focus, is shown; one that is pressed
 * stays selected, and is shown whenever the pointer is on no other. Colours match those of attention-colors.ts, and bytes are
 * read as attention-weights.ts does. A head's weights are read when they are drawn: all of them would be hundreds of megabytes.
 */
const SCRIPT = `(() => {
  const [SKIPS, LEVELS, OCTAVES, DECADES, STEPS, LARGEST_CELL, PITCH, THUMB, HELD, TOP] = [64, 191, 10, 3, 64, 28, 11.5, 64, 9, 7];
  const bytesOf = (text) => {
    const letters = atob(text), bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    return bytes;
  };
  const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);
  const unit = (v) => Math.max(0, Math.min(1, v));
  const byte = (v) => { v = unit(v); return Math.round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055)); };
  const rgb = (L, a, b) => {
    const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3, m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3, s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
    return [byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s), byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s), byte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s)];
  };
  const word = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  for (const root of document.querySelectorAll("[data-attention]")) {
    const { names, tokens, labels, hues, metrics, left, domain, signed, label, all, focus } = JSON.parse(root.dataset.attention);
    const patterns = root.dataset.patterns.split(" "), norms = root.dataset.norms && root.dataset.norms.split(" ").map(floatsOf);
    delete root.dataset.patterns; delete root.dataset.norms;
    const n = tokens.length, H = names.length, each = [...names.keys()];
    const find = (selector) => [...root.querySelectorAll(selector)];
    const keep = { head: focus, token: null }, seen = { head: null, token: null };
    const on = { first: false, log: false, values: false };
    let toSource = true, sorted = null, zoom = 1;
    const head = () => seen.head ?? keep.head, token = () => seen.token ?? keep.token;
    const heads = (h) => h < 0 ? each : [h];

    // Weights.
    const packs = patterns.map((text) => {
      const [bytes, rest, largest, kind] = text.split(",");
      return rest === undefined ? null : { bytes: bytesOf(bytes), rest: floatsOf(rest), causal: kind === "causal",
        steps: Float32Array.from({ length: 256 }, (_, b) => largest * 2 ** (-OCTAVES * (255 - b) / LEVELS)) };
    });
    const read = (h) => {
      if (!packs[h]) return floatsOf(patterns[h]);
      const { bytes, rest, causal, steps } = packs[h], dense = new Float32Array(n * n);
      for (let q = 0, next = 0; q < n; q++) {
        const to = q * n + (causal ? q + 1 : n);
        for (let at = q * n; at < to;) {
          const b = bytes[next++];
          if (b >= SKIPS) dense[at++] = steps[b]; else dense.fill(rest[q], at, at += b + 1);
        }
      }
      return dense;
    };
    const held = new Map();
    const weights = (h) => {
      let found = held.get(h);
      if (!found) {
        found = read(h);
        const norm = on.values && norms[h];
        if (norm) for (let q = 0, at = 0; q < n; q++) for (let k = 0; k < n; k++, at++) found[at] *= norm[k];
        if (on.first) for (let q = 0; q < n; q++) found[q * n] = 0;
        if (held.size >= HELD) held.delete(held.keys().next().value); // the oldest
        held.set(h, found);
      }
      return found;
    };
    const at = (h, q, k) => weights(h)[q * n + k] || 0;
    const causal = each.every((h) => {
      if (packs[h]) return packs[h].causal;
      const some = weights(h);
      for (let q = 0; q < n; q++) for (let k = q + 1; k < n; k++) if (some[q * n + k]) return false;
      return true;
    });
    // The largest weight as it is shown, without reading all of them where they are packed.
    const largest = (h) => {
      let most = 0;
      if (!packs[h]) {
        for (const w of weights(h)) most = Math.max(most, Math.abs(w) || 0);
        return most;
      }
      const { bytes, rest, causal, steps } = packs[h], norm = on.values && norms[h];
      for (let q = 0, next = 0; q < n; q++) {
        for (let k = 0, to = causal ? q + 1 : n; k < to;) {
          const b = bytes[next++], skips = b < SKIPS, end = skips ? k + b + 1 : k + 1, w = skips ? rest[q] : steps[b];
          if (norm) for (let i = Math.max(k, +on.first); i < end; i++) { if (w * norm[i] > most) most = w * norm[i]; }
          else if (w > most && (end > 1 || !on.first)) most = w;
          k = end;
        }
      }
      return most;
    };
    const ends = { "": domain };
    const range = () => {
      const mode = (on.first ? "f" : "") + (on.values ? "v" : "");
      if (!ends[mode]) {
        let most = 0;
        for (const h of each) most = Math.max(most, largest(h));
        ends[mode] = [signed ? -most : 0, most || 1];
      }
      return ends[mode];
    };

    // Colours: by sign, or the hue of a head, or the mean of the hues with the strength of the strongest.
    let low, high, light, reach, ramp, tables = new Map();
    const scale = () => {
      [low, high] = range(); [light, reach] = [+style("--l0"), +style("--l1")]; tables = new Map();
      if (signed) ramp = Array.from({ length: 101 }, (_, i) => [1, 3, 5].map((j) => parseInt(style("--RdBu" + i).slice(j, j + 2), 16)));
    };
    const strength = (w) => on.log ? (w > 0 ? unit(1 + Math.log10(w / high) / DECADES) : 0) : unit((w - low) / (high - low || 1)) || 0;
    const step = (w) => Math.round(STEPS * strength(w));
    const mixed = (values) => {
      let sum = 0, most = 0, a = 0, b = 0;
      for (let i = 0; i < values.length; i++) {
        const w = strength(values[i]);
        sum += w * w; most = Math.max(most, w); a += w * w * hues[i][0]; b += w * w * hues[i][1];
      }
      const round = (v) => Math.round(200 * v / sum) / 200;
      return sum === 0 ? [0, 0, 0] : [Math.round(STEPS * most) / STEPS, round(a), round(b)];
    };
    const mean = (values) => values.reduce((sum, v) => sum + (v || 0), 0) / values.length;
    const level = (v) => Math.round(100 * unit((v - low) / (high - low)));
    const paint = (h, values) => {
      if (signed) {
        const v = mean(values), l = level(v);
        return v ? { color: "var(--RdBu" + l + ")", ink: "var(--RdBu" + l + "i)", strength: 0 } : null;
      }
      const [s, a, b] = h < 0 ? mixed(values) : [step(values[0]) / STEPS, ...hues[h].map((v) => Math.round(200 * v) / 200)];
      return s ? { color: "oklab(calc(var(--l0) + var(--l1)*" + s.toFixed(3) + ") " + (s * a).toFixed(3) + " " + (s * b).toFixed(3) + ")", strength: s } : null;
    };
    const table = (h) => {
      if (!tables.has(h)) tables.set(h, Uint32Array.from({ length: STEPS + 1 }, (_, i) => {
        const s = i / STEPS, [a, b] = hues[h].map((v) => s * Math.round(200 * v) / 200);
        return i ? word(rgb(light + reach * s, a, b)) : 0;
      }));
      return tables.get(h);
    };

    // A square picture of a head's cells; with fewer pixels than cells, each is the largest of a block.
    const blocks = (some, side) => {
      if (side >= n) return some;
      const found = new Float32Array(side * side), block = Int32Array.from({ length: n }, (_, i) => Math.floor(i * side / n));
      for (let q = 0; q < n; q++) {
        for (let k = 0, row = block[q] * side, to = causal ? q : n - 1; k <= to; k++) {
          const v = some[q * n + k], i = row + block[k];
          if (v > found[i] ? v > -found[i] : v < -Math.abs(found[i])) found[i] = v;
        }
      }
      return found;
    };
    const draft = (canvas, h, side) => {
      canvas.width = canvas.height = side;
      const context = canvas.getContext("2d"), image = context.createImageData(side, side), pixels = new Uint32Array(image.data.buffer);
      const parts = heads(h).map((i) => blocks(weights(i), side)), [one] = parts, colors = h >= 0 && !signed ? table(h) : null;
      for (let i = 0; i < pixels.length; i++) {
        if (colors) { if (one[i]) pixels[i] = colors[step(one[i])]; continue; }
        const values = parts.map((part) => part[i]);
        if (signed) { const v = mean(values); if (v) pixels[i] = word(ramp[level(v)]); continue; }
        const [s, a, b] = mixed(values);
        if (s) pixels[i] = word(rgb(light + reach * s, s * a, s * b));
      }
      context.putImageData(image, 0, 0);
      return canvas;
    };

    // The large view: only what is in sight is drawn, so that it can be zoomed without end.
    const frame = root.querySelector(".frame"), room = root.querySelector(".room"), canvas = room.querySelector("canvas"), spot = root.querySelector(".spot");
    const context = canvas.getContext("2d"), zooming = root.querySelector(".zoom"), [smaller, larger] = zooming.querySelectorAll("button");
    const shot = document.createElement("canvas"), FONT = "11px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
    const plot = { cell: 1, left: 0, wide: 0, high: 0, drawn: "" };
    let pointed = null;
    const layOut = () => {
      context.font = FONT;
      const widest = Math.max(0, ...labels.map((text) => context.measureText(text).width));
      plot.left = Math.min(widest + 24, 0.34 * frame.clientWidth);
      const space = frame.clientWidth - plot.left - 2, fit = space / Math.max(1, n), whole = fit >= 8 ? Math.min(LARGEST_CELL, Math.floor(fit)) : fit;
      plot.cell = Math.min(Math.max(whole, LARGEST_CELL), whole * zoom);
      plot.every = plot.cell >= PITCH ? 1 : [1, 10, 100, 1000, 10000].flatMap((power) => [2, 5, 10].map((m) => m * power)).find((m) => m >= PITCH / plot.cell);
      const due = labels.filter((_, i) => i % plot.every === 0), longest = Math.max(0, ...due.map((text) => context.measureText(text).width));
      plot.turned = longest + 5 > plot.cell; plot.below = plot.turned ? Math.max(longest, 40) : 14;
      const below = plot.below + 26 + TOP, side = n * plot.cell;
      zooming.hidden = whole >= 14; smaller.disabled = zoom <= 1; larger.disabled = plot.cell >= LARGEST_CELL;
      zooming.querySelector("output").textContent = (plot.cell / whole).toFixed(plot.cell / whole < 10 && plot.cell % whole ? 1 : 0) + "\\u00d7";
      const most = Math.min(side, space);
      frame.style.height = most + below + (side > space + 1 ? frame.offsetHeight - frame.clientHeight : 0) + "px";
      room.style.width = side > space + 1 ? plot.left + side + 2 + "px" : "100%"; room.style.height = side + below + "px";
      frame.tabIndex = side > space + 1 ? 0 : -1;
      const [w, h] = [frame.clientWidth, frame.clientHeight], ratio = devicePixelRatio || 1;
      plot.wide = Math.min(side, w - plot.left - 2); plot.high = Math.min(side, h - below); plot.drawn = "";
      canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio); canvas.style.width = w + "px"; canvas.style.height = h + "px";
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
    };
    const drawPlot = () => {
      const { cell, left, wide, high } = plot, h = head(), [sx, sy] = [frame.scrollLeft, frame.scrollTop], ratio = devicePixelRatio || 1;
      const side = Math.min(n, Math.max(1, Math.ceil(n * cell * ratio))), key = [h, side, JSON.stringify(on), light].join();
      if (plot.drawn !== key) { draft(shot, h, side); plot.drawn = key; }
      const ink = getComputedStyle(root).color, accent = style("--accent");
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.save(); context.beginPath(); context.rect(left, TOP, wide, high); context.clip();
      context.imageSmoothingEnabled = false;
      const per = n * cell / side, [x0, y0] = [sx, sy].map((v) => Math.floor(v / per)), [w, t] = [wide, high].map((v) => Math.min(side, Math.ceil(v / per) + 2));
      context.drawImage(shot, x0, y0, w, t, left - sx + x0 * per, TOP - sy + y0 * per, w * per, t * per);
      const i = token();
      if (i !== null) {
        context.strokeStyle = accent;
        const pad = cell < 8 ? 2.5 : 0, [across, long] = [cell + 2 * pad, n * cell + 4];
        context.lineWidth = cell < 8 ? 1 : 2;
        if (toSource) context.strokeRect(left - sx - 2, TOP - sy + i * cell - pad, long, across); else context.strokeRect(left - sx + i * cell - pad, TOP - 2 - sy, across, long);
      }
      if (pointed) { context.strokeStyle = ink; context.lineWidth = 1.5; context.strokeRect(left - sx + pointed[1] * cell, TOP - sy + pointed[0] * cell, Math.max(cell, 3), Math.max(cell, 3)); }
      context.restore();
      context.strokeStyle = style("--rule"); context.lineWidth = 1; context.strokeRect(left - 0.5, TOP - 0.5, wide + 1, high + 1);
      drawLabels(ink, sx, sy);
    };
    const drawLabels = (ink, sx, sy) => {
      const { cell, left, wide, high, every, turned, below } = plot, space = left - 22;
      const told = pointed ?? [toSource ? token() : null, toSource ? null : token()];
      const near = (i, j) => j !== null && i !== j && Math.abs(i - j) * cell < PITCH;
      context.font = FONT; context.textBaseline = "middle";
      for (let i = 0; i < n; i++) {
        const here = [told[0] === i, told[1] === i], y = TOP - sy + (i + 0.5) * cell, x = left - sx + (i + 0.5) * cell, due = i % every === 0;
        context.fillStyle = here[0] ? ink : soft;
        if ((due && !near(i, told[0]) || here[0]) && y >= TOP && y <= TOP + high) { context.textAlign = "right"; context.fillText(labels[i], left - 6, y, space); }
        context.fillStyle = here[1] ? ink : soft;
        if (!(due && !near(i, told[1]) || here[1]) || x < left - 1 || x > left + wide + 1) continue;
        if (!turned) { context.textAlign = "center"; context.fillText(labels[i], x, TOP + high + 11); continue; }
        context.save(); context.translate(x, TOP + high + 7); context.rotate(-Math.PI / 2); context.textAlign = "right"; context.fillText(labels[i], 0, 0, below); context.restore();
      }
      context.fillStyle = soft; context.font = "11px system-ui, sans-serif"; context.textAlign = "center";
      context.fillText("key", left + wide / 2, canvas.clientHeight - 8);
      context.save(); context.translate(8, TOP + high / 2); context.rotate(-Math.PI / 2); context.fillText("query", 0, 0); context.restore();
    };
    let soft = style("--soft");

    // Words.
    const short = (v) => !v || Math.abs(v) >= 0.0005 ? String(+v.toPrecision(3)).replace("-", "\\u2212") : v.toExponential(1).replace("-", "\\u2212");
    const rounded = (h, v) => left[h] || packs[h] ? "\\u2248 " + +v.toPrecision(2) : short(v);
    const tell = (h, numbers) => {
      if (h >= 0) return names[h] + ": " + rounded(h, numbers[0]);
      const order = [...numbers.keys()].sort((i, j) => Math.abs(numbers[j]) - Math.abs(numbers[i])).slice(0, 3);
      return order.map((i) => names[i] + ": " + rounded(i, numbers[i])).join("\\n") + (H > 3 ? "\\n\\u2026" : "");
    };
    const metric = ({ name, unit, values }, h) => name + " " + short(+values[h].toPrecision(2)) + (unit ? " " + unit : "");
    const name = (i) => "\\u201c" + tokens[i] + "\\u201d (" + i + ")";
    const share = (v) => +(100 * v).toPrecision(2) + " %";

    const title = root.querySelector(".view .heading"), facts = root.querySelector(".facts"), bar = root.querySelector(".ramp i"), status = root.querySelector(".status");
    const [rampLabel, ...rampEnds] = root.querySelectorAll(".ramp span, .ramp output");
    const spans = find(".tokens .token"), buttons = find(".head"), directions = find(".direction button"), grid = root.querySelector(".grid-of-heads");
    const order = grid ? [...grid.children] : [];
    const drawHead = (h) => {
      const by = sorted ?? metrics[0], best = by && H > 8 && by.values[h] === (by.lowestFirst ? Math.min : Math.max)(...by.values);
      title.textContent = h < 0 ? all : names[h] + (best ? ", the " + (by.lowestFirst ? "lowest" : "highest") + " of " + H + " heads in " + by.name : "");
      const kept = h >= 0 && left[h] >= 0.0005 ? [share(left[h]) + " of its attention drawn as means"] : [];
      facts.textContent = h < 0 ? "" : [...metrics.map((one) => metric(one, h)), ...kept].join(" \\u00b7 ");
      rampLabel.textContent = label + (on.values ? " \\u00d7 |value|" : "") + (on.log ? ", logarithmic" : "");
      [on.log ? high / 10 ** DECADES : low, high].forEach((v, i) => { rampEnds[i].textContent = short(v); });
      const stop = (i) => {
        if (signed) return "var(--RdBu" + 10 * i + ")";
        const s = i / 10, hue = h < 0 ? [0, 0] : hues[h];
        return "oklab(calc(var(--l0) + var(--l1)*" + s + ") " + (s * hue[0]).toFixed(3) + " " + (s * hue[1]).toFixed(3) + ")";
      };
      bar.style.background = "linear-gradient(90deg," + [...Array(11).keys()].map(stop).join(",") + ")";
    };
    const means = new Map();
    const received = (h) => {
      if (!means.has(h)) {
        const sums = new Float64Array(n), some = weights(h);
        for (let q = 0; q < n; q++) for (let k = 0; k < n; k++) sums[k] += some[q * n + k] || 0;
        means.set(h, sums.map((sum, k) => sum / (n - (causal ? k : 0))));
      }
      return means.get(h);
    };
    const tokenValues = (h, i, j) => heads(h).map((one) => i === null ? received(one)[j] : toSource ? at(one, i, j) : at(one, j, i));
    const looks = [];
    let drawn = null, marked = null, pressed = null;
    const tipOf = (j) => { spans[j].dataset.tip = name(j) + "\\n" + tell(head(), tokenValues(head(), token(), j)); };
    const draw = () => {
      const h = head(), i = token(), who = h < 0 ? "All heads" : names[h];
      if (h !== drawn) drawHead(drawn = h);
      drawPlot();
      status.textContent = i === null ? who + ": what each token receives, on average over the queries" + (causal ? " that see it" : "")
        : toSource ? who + ": where " + name(i) + " attends to" : who + ": what attends to " + name(i);
      spans.forEach((span, j) => {
        const found = paint(h, tokenValues(h, i, j)), look = found ? found.color : "";
        if (looks[j] === look) return;
        looks[j] = look; span.style.background = look; span.style.color = found?.ink ?? "";
        span.classList.toggle("strong", found?.strength > 0.775);
        span.classList.toggle("mid", found?.strength > 0.567 && found.strength <= 0.775);
      });
      spans[marked]?.classList.remove("on"); spans[marked = i]?.classList.add("on");
      spans[pressed]?.setAttribute("aria-pressed", false); spans[pressed = keep.token]?.setAttribute("aria-pressed", true);
      for (const button of buttons) {
        button.classList.toggle("on", +button.dataset.head === h);
        button.setAttribute("aria-pressed", +button.dataset.head === keep.head);
      }
      directions.forEach((button, d) => button.setAttribute("aria-pressed", toSource === (d === 0)));
    };

    // Thumbnails are drawn a few at a time, so that the page can be used meanwhile.
    let round = 0;
    const drawThumbs = () => {
      const mine = ++round, waiting = [...buttons];
      const some = () => {
        for (const until = performance.now() + 12; waiting.length && round === mine && performance.now() < until;) {
          const button = waiting.shift();
          draft(button.querySelector("canvas"), +button.dataset.head, Math.min(n, THUMB));
        }
        if (round !== mine) return;
        if (waiting.length) requestAnimationFrame(some); else root.dataset.drawn = round;
      };
      some();
    };
    const renew = () => {
      soft = style("--soft"); scale(); means.clear(); drawn = null; plot.drawn = "";
      draw(); drawThumbs();
    };
    const relay = () => { layOut(); draw(); };

    const focusOn = (elements, what, value) => {
      for (const element of elements) {
        // The tip of a token changes with the focus, so it is shown again.
        element.addEventListener("pointerenter", () => { seen[what] = value(element); draw(); if (what === "token") tipOf(seen.token); element.dispatchEvent(new Event("tip", { bubbles: true })); });
        element.addEventListener("focus", () => { seen[what] = value(element); draw(); if (what === "token") tipOf(seen.token); });
        for (const end of ["pointerleave", "blur"]) element.addEventListener(end, () => { seen[what] = null; draw(); });
        element.addEventListener("click", () => {
          const chosen = value(element);
          keep[what] = what === "token" && keep.token === chosen ? null : chosen;
          draw();
        });
      }
    };
    focusOn(buttons, "head", (button) => +button.dataset.head);
    focusOn(spans, "token", (span) => spans.indexOf(span));
    directions.forEach((button, d) => button.addEventListener("click", () => { toSource = d === 0; draw(); }));
    for (const button of buttons) {
      const h = +button.dataset.head;
      button.dataset.tip = h < 0 ? all : [names[h], ...metrics.map((one) => metric(one, h))].join("\\n");
    }
    for (const button of find("[data-switch]")) {
      button.addEventListener("click", () => {
        const what = button.dataset.switch; on[what] = !on[what];
        button.setAttribute("aria-pressed", on[what]);
        if (what !== "log") held.clear();
        renew();
      });
    }
    const choice = root.querySelector(".tools select");
    if (choice) choice.value = "";
    choice?.addEventListener("change", () => {
      sorted = choice.value === "" ? null : metrics[choice.value];
      const place = (h) => h < 0 ? -Infinity : sorted.lowestFirst ? sorted.values[h] : -sorted.values[h];
      const ranked = sorted ? [...buttons].sort((a, b) => place(+a.dataset.head) - place(+b.dataset.head) || a.dataset.head - b.dataset.head) : [];
      grid.classList.toggle("sorted", sorted !== null);
      grid.append(...(sorted ? [...order.filter((item) => !buttons.includes(item)), ...ranked] : order));
      for (const button of buttons) button.querySelector("small").textContent = sorted && +button.dataset.head >= 0 ? short(+sorted.values[+button.dataset.head].toPrecision(2)) : "";
      if (sorted) keep.head = +ranked.find((button) => +button.dataset.head >= 0).dataset.head;
      for (const button of buttons) button.tabIndex = +button.dataset.head === keep.head ? 0 : -1;
      grid.scrollTop = 0; draw();
    });
    const zoomTo = (next) => {
      const was = plot.cell, [x, y] = [frame.scrollLeft + plot.wide / 2, frame.scrollTop + plot.high / 2];
      zoom = Math.max(1, next); layOut();
      frame.scrollLeft = x * plot.cell / was - plot.wide / 2; frame.scrollTop = y * plot.cell / was - plot.high / 2;
      draw();
    };
    smaller.addEventListener("click", () => zoomTo(zoom / 2));
    larger.addEventListener("click", () => zoomTo(zoom * 2));

    const place = (event) => {
      const box = canvas.getBoundingClientRect(), [x, y] = [event.clientX - box.left - plot.left, event.clientY - box.top - TOP];
      if (x < 0 || y < 0 || x >= plot.wide || y >= plot.high) return null;
      return [y + frame.scrollTop, x + frame.scrollLeft].map((v) => Math.min(n - 1, Math.floor(v / plot.cell)));
    };
    const leave = () => {
      if (!pointed) return;
      pointed = null; delete spot.dataset.tip; spot.dispatchEvent(new Event("tip", { bubbles: true }));
      seen.token = null; draw();
    };
    canvas.addEventListener("pointermove", (event) => {
      const here = place(event), h = head();
      if (!here) return leave();
      if (pointed && pointed[0] === here[0] && pointed[1] === here[1]) return;
      const [q, k] = pointed = here, size = Math.max(plot.cell, 3);
      Object.assign(spot.style, { left: plot.left + k * plot.cell + "px", top: TOP + q * plot.cell + "px", width: size + "px", height: size + "px" });
      spot.dataset.tip = name(q) + " attends to " + name(k) + "\\n" + tell(h, heads(h).map((one) => at(one, q, k)));
      const now = toSource ? q : k;
      if (seen.token !== now) { seen.token = now; draw(); } else drawPlot();
      spot.dispatchEvent(new Event("tip", { bubbles: true }));
    });
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("click", (event) => {
      const here = place(event);
      if (!here) return;
      const now = here[toSource ? 0 : 1];
      keep.token = keep.token === now ? null : now; draw();
    });
    frame.addEventListener("scroll", drawPlot, { passive: true });

    root.addEventListener("keydown", (event) => {
      const button = event.target.closest(".head"), span = event.target.closest(".token");
      if (event.key === "Escape" && keep.token !== null) { keep.token = null; draw(); }
      if (span && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); span.click(); }
      if (!button) return;
      const shown = [...grid.querySelectorAll(".head")], here = shown.indexOf(button), last = shown.at(-1);
      const across = Math.max(...shown.map((one) => shown.filter((other) => other.offsetTop === one.offsetTop && other !== last).length), 1);
      const to = { ArrowRight: here + 1, ArrowLeft: here - 1, ArrowDown: here + across, ArrowUp: here - across, Home: 0, End: shown.length - 1 }[event.key];
      if (to === undefined || !shown[to]) return;
      event.preventDefault(); button.tabIndex = -1; shown[to].tabIndex = 0; shown[to].focus();
    });
    root.classList.add("moving"); root.querySelector(".stage").hidden = false;
    scale(); layOut(); draw(); drawThumbs();
    let wide = frame.clientWidth;
    new ResizeObserver(() => { if (frame.clientWidth !== wide) { wide = frame.clientWidth; relay(); } }).observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renew);
  }
})();`;

/** Focus on heads, tokens and cells. */
export const ATTENTION: Feature = {
  style: ATTENTION_STYLE,
  script: SCRIPT,
  hash: "sha256-g/d2P7N73TCf1sF8WTs3vXHctNbi8xQbz9/WQp73htE=",
};
