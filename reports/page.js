// Sorts, filters and searches the table of cells; shows what a row was measured from; copies commands;
// opens the details of a comparison, also those that are packed. The page is complete without it.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const make = (tag, of = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), of);
    element.append(...inside);
    return element;
  };

  // Details of comparisons, opened by their ids; those of many comparisons are packed as data

  const holder = byId("packed");
  const looks = holder ? JSON.parse(holder.dataset.modes) : {};
  let packed;
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(holder.textContent), (each) => each.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  };
  const named = (tag, className, ...inside) => make(tag, { className }, ...inside);
  const tableOf = ([title, columns, rows]) => {
    const body = make("tbody");
    for (const row of rows) {
      const fields = row.map((words, index) => {
        const kind = columns[index][1];
        const name = kind === "status" ? `status ${words.split(" ")[0]}` : kind;
        if (index) return named("td", name, words);
        const dot = words in looks ? [named("i", `dot ${looks[words]}`)] : [];
        return Object.assign(named("th", name, ...dot, words), { scope: "row" });
      });
      body.append(make("tr", {}, ...fields));
    }
    const heads = columns.map(([name, kind]) => Object.assign(named("th", kind, name), { scope: "col" }));
    const region = named("div", "scroll", make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body));
    region.tabIndex = 0;
    region.setAttribute("role", "group");
    region.setAttribute("aria-label", title);
    return region;
  };
  const canvas = (width, height, label) => {
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const add = (tag, attributes, words = "", to = drawing) => {
      const piece = document.createElementNS(drawing.namespaceURI, tag);
      for (const [name, value] of Object.entries(attributes)) piece.setAttribute(name, value);
      piece.textContent = words;
      to.append(piece);
      return piece;
    };
    const of = { class: "drawing", viewBox: `0 0 ${width} ${height}`, style: `--w:${width}`, role: "img", "aria-label": label };
    for (const [name, value] of Object.entries(of)) drawing.setAttribute(name, value);
    return [drawing, add];
  };
  const FIRST = 35; // the code of the lowest height of a dot; 92, a backslash, is left out
  const LEVELS = 90;
  const samplesOf = ({ ticks, modes }) => {
    const [width, left, split, top, bottom] = [380, 52, 300, 8, 150];
    const y = (part) => (bottom - part * (bottom - top)).toFixed(1);
    const [drawing, add] = canvas(width, 160, "Seconds per call of blocks, in the order of the run, and how they lie");
    for (const [part, label] of ticks) {
      add("path", { class: "grid", d: `M${left} ${y(part)}H${width}` });
      add("text", { class: "tick", x: left - 5, y: +y(part) + 4, "text-anchor": "end" }, label);
    }
    modes.forEach(([mode, counts, heights, box], place) => {
      let at = 0;
      let path = "";
      counts.forEach((count, pass) => {
        const room = (split - left) / counts.length;
        for (let index = 0; index < count; index++, at++) {
          const code = heights.charCodeAt(at);
          const level = (code - FIRST - (code > 92)) / LEVELS;
          path += `M${(left + room * (pass + (index + 0.5) / count)).toFixed()} ${y(level)}h0`;
        }
        if (pass && !place) add("path", { class: "rule", d: `M${left + room * pass} ${top}V${bottom}` });
      });
      const look = { style: `stroke:var(--c)`, class: `dots ${looks[mode]}` };
      add("path", { ...look, d: path });
      const x = split + 12 + ((width - split - 16) * (place + 0.5)) / modes.length;
      const [low, first, middle, third, high] = box.map(y);
      const lines = `M${x} ${low}V${high}M${x - 5} ${first}V${third}H${x + 5}V${first}ZM${x - 5} ${middle}h10`;
      add("path", { class: looks[mode], style: "stroke:var(--c)", d: lines });
    });
    return named("figure", "", drawing, make("figcaption", {}, "Dots: blocks, one pass after the other. Boxes: their middle half, and 5% to 95%."));
  };
  const repaidOf = ({ x: [fewest, most, callTicks], y: [low, high, secondTicks], modes, marks }) => {
    const [width, left, right, top, bottom] = [380, 52, 368, 8, 150];
    const [drawing, add] = canvas(width, 182, "Total time against the number of calls");
    const part = (value, from, to) => Math.log(Math.min(Math.max(value, from), to) / from) / Math.log(to / from);
    const x = (calls) => (left + part(calls, fewest, most) * (right - left)).toFixed(1);
    const y = (seconds) => (bottom - part(seconds, low, high) * (bottom - top)).toFixed(1);
    for (const [value, label] of secondTicks) {
      add("path", { class: "grid", d: `M${left} ${y(value)}H${right}` });
      add("text", { class: "tick", x: left - 5, y: +y(value) + 4, "text-anchor": "end" }, label);
    }
    for (const [value, label] of callTicks) {
      add("path", { class: "grid", d: `M${x(value)} ${top}V${bottom}` });
      add("text", { class: "tick", x: x(value), y: bottom + 13, "text-anchor": "middle" }, label);
    }
    const total = (mode, calls) => {
      const [, start, call] = modes.find(([name]) => name === mode);
      return start + (calls - 1) * call;
    };
    const counts = Array.from({ length: 25 }, (_, index) => fewest * (most / fewest) ** (index / 24));
    for (const [mode] of modes) {
      const points = counts.map((calls) => `${x(calls)} ${y(total(mode, calls))}`);
      add("path", { class: `c ${looks[mode]}`, style: "stroke:var(--c)", d: `M${points.join("L")}` });
    }
    for (const [mode, calls, from, to, said] of marks) {
      const level = y(total(mode, calls));
      add("path", { class: `wide ${looks[mode]}`, style: "stroke:var(--c)", d: `M${x(from)} ${level}H${x(to)}` });
      add("title", {}, said, add("circle", { class: `m ${looks[mode]}`, cx: x(calls), cy: level, r: 3 }));
    }
    add("text", { x: (left + right) / 2, y: bottom + 27, "text-anchor": "middle" }, "calls");
    return named("figure", "", drawing, make("figcaption", {}, "Building and first call included. Where a mode's line crosses eager's, it has repaid its start; the bar is its 95% interval."));
  };
  const detailsOf = (id, of) => {
    const summary = make("summary", {}, of.name, " ", named("span", "faint", of.parameters), named("span", "result", of.result));
    if (of.failed) summary.append(" ", named("span", "status trouble", "needs attention"));
    const element = make("details", { id, className: "comparison" }, summary);
    if (of.summary) element.append(named("p", "what", of.summary));
    for (const [number, status, words] of of.reasons) {
      const link = make("a", { href: `#reason-${number}` }, "all such cells");
      element.append(named("p", "why", named("span", `status ${status.split(" ")[0]}`, status), ` ${words} `, link));
    }
    element.append(tableOf(of.tables[0]));
    const drawings = [of.samples && samplesOf(of.samples), of.repaid && repaidOf(of.repaid)].filter(Boolean);
    if (drawings.length) element.append(named("div", "drawings", ...drawings));
    element.append(named("p", "heading", of.tables[1][0]));
    if (of.tables[1][2].length) element.append(tableOf(of.tables[1]));
    if (of.command) element.append(named("p", "command", named("span", "faint", "Compare again "), make("code", {}, of.command)));
    return element;
  };
  const find = async (id) => {
    if (byId(id) || !holder) return byId(id);
    packed ??= unpack();
    const content = (await packed)[id];
    if (!content) return null;
    byId("packed-note").before(detailsOf(id, content));
    copyable(byId(id));
    return byId(id);
  };
  const open = async () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && (await find(id));
    if (!target) return;
    if (target.hidden) reset();
    for (let each = target; each; each = each.parentElement) {
      if (each.tagName === "DETAILS") each.open = true;
    }
    target.scrollIntoView();
    (target.querySelector(":scope > summary") || target).focus({ preventScroll: true });
  };

  // Commands

  const copyable = (within) => {
    for (const code of within.querySelectorAll(".command code")) {
      const button = make("button", { type: "button", className: "copy" }, "Copy");
      button.onclick = async () => {
        try {
          await navigator.clipboard.writeText(code.textContent);
        } catch {
          getSelection().selectAllChildren(code);
          document.execCommand("copy");
        }
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 1500);
      };
      code.after(button);
    }
  };

  // The table of cells

  const table = byId("cells");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  const text = (row, column) => row.cells[column].textContent;
  const place = Object.fromEntries(headings.map((each, index) => [each.className, index]));

  const UNITS = { ns: 1e-9, "µs": 1e-6, ms: 1e-3, s: 1, k: 1e3, M: 1e6 };
  const value = (words) => {
    if (words.startsWith("never")) return Infinity;
    if (words.startsWith("all digits")) return Infinity;
    if (words.startsWith("no digit")) return 0;
    const found = /^([\d.,]+(?:e[+-]?\d+)?)(?:\s?(ns|µs|ms|s|k|M)\b)?/.exec(words);
    return found ? parseFloat(found[1].replaceAll(",", "")) * (UNITS[found[2]] || 1) : NaN;
  };
  const NUMBERS = ["speedup", "latency", "digits", "repaid"];

  let sorted = { kind: "", down: false };
  const sort = (kind, down) => {
    sorted = { kind, down };
    const column = place[kind];
    for (const each of headings) each.removeAttribute("aria-sort");
    let order = rows;
    if (kind) {
      headings[column].setAttribute("aria-sort", down ? "descending" : "ascending");
      const number = NUMBERS.includes(kind);
      const keys = new Map(
        rows.map((row) => [row, number ? value(text(row, column)) : text(row, column)]),
      );
      order = [...rows].sort((a, b) => {
        const [one, two] = [keys.get(a), keys.get(b)];
        const missing = number ? Number.isNaN(one) - Number.isNaN(two) : !one - !two;
        if (missing) return missing; // without a value: last, up or down
        const least = number ? (one < two ? -1 : one > two ? 1 : 0) : one.localeCompare(two);
        return down ? -least : least;
      });
    }
    table.classList.toggle("sorted", Boolean(kind));
    body.append(...order);
    chosen.sort.value = kind ? `${kind} ${down ? "down" : "up"}` : "";
  };
  for (const heading of headings) {
    const kind = heading.className;
    const button = make("button", { type: "button" }, ...heading.childNodes);
    button.onclick = () => {
      const first = NUMBERS.includes(kind) && kind !== "latency" && kind !== "repaid";
      const again = sorted.kind === kind;
      if (again && sorted.down !== first) sort("", false);
      else sort(kind, again ? !sorted.down : first);
    };
    heading.append(button);
  }

  const options = (column) => {
    const words = new Set(rows.map((row) => text(row, column)).filter(Boolean));
    return [...words].sort().map((each) => make("option", { value: each }, each));
  };
  const choice = (name, label, inside) => {
    const control = make("select", { name }, make("option", { value: "" }, "all"), ...inside);
    control.setAttribute("aria-label", label); // the label holds the options, too
    return [control, make("label", {}, label, control)];
  };
  const chosen = { search: make("input", { type: "search", name: "search" }) };
  const tools = make("form", { className: "tools" }, make("label", {}, "Search", chosen.search));
  tools.setAttribute("aria-label", "Filter the results");
  tools.onsubmit = (event) => event.preventDefault();
  const scenarios = new Set(rows.map((row) => row.id.split("/")[0]));
  for (const [kind, label] of [["scenario", "Scenario"], ["mode", "Mode"], ["verdict", "Verdict"], ["outputs", "Outputs"]]) {
    const inside =
      kind === "scenario"
        ? [...scenarios].map((each) => make("option", { value: each }, each))
        : options(place[kind]);
    const [control, label_] = choice(kind, label, inside);
    chosen[kind] = control;
    if (inside.length > 1) tools.append(label_);
  }
  const orders = headings.flatMap((heading) =>
    ["up", "down"].map((way) =>
      make("option", { value: `${heading.className} ${way}` }, `${heading.textContent} ${way === "up" ? "↑" : "↓"}`),
    ),
  );
  const [order, orderLabel] = choice("sort", "Sort by", orders);
  order.options[0].textContent = "as run";
  orderLabel.className = "sort";
  order.onchange = () => {
    const [kind, way] = order.value.split(" ");
    sort(kind, way === "down");
  };
  chosen.sort = order;
  const shown = make("output");
  const clear = make("button", { type: "button" }, "Clear");
  tools.append(orderLabel, clear, shown);

  const filter = () => {
    const words = chosen.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let number = 0;
    for (const row of rows) {
      const all = row.textContent.toLowerCase();
      row.hidden = !(
        words.every((word) => all.includes(word)) &&
        (!chosen.scenario.value || row.id.split("/")[0] === chosen.scenario.value) &&
        ["mode", "verdict", "outputs"].every(
          (kind) => !chosen[kind].value || text(row, place[kind]) === chosen[kind].value,
        )
      );
      number += !row.hidden;
    }
    shown.textContent = number === rows.length ? `${number} cells` : `${number} of ${rows.length} cells`;
    clear.hidden = number === rows.length;
  };
  const reset = () => {
    tools.reset();
    sort("", false);
    filter();
  };
  clear.onclick = reset;
  tools.oninput = filter;
  if (rows.length > 3) table.parentElement.before(tools);
  filter();

  // A number in the table of modes filters the cells that it counts

  const modes = byId("by-mode");
  if (modes) {
    const kinds = [...modes.tHead.rows[0].cells].map((each) => each.textContent);
    for (const row of modes.tBodies[0].rows) {
      kinds.forEach((kind, column) => {
        const field = row.cells[column];
        if (!field.textContent || !["faster", "slower", "same", "unclear"].includes(kind)) return;
        const link = make("a", { href: "#results" }, ...field.childNodes);
        link.setAttribute("aria-label", `Show ${kind} cells of ${row.cells[0].textContent}`);
        link.onclick = () => {
          tools.reset();
          chosen.mode.value = row.cells[0].textContent;
          chosen.verdict.value = kind;
          filter();
        };
        field.append(link);
      });
    }
  }

  // What a row was measured from: at the pointer, and at the row that has the focus

  const tip = make("div", { id: "tip", hidden: true });
  tip.setAttribute("role", "tooltip");
  document.body.append(tip);
  const words = (row) => {
    const mode = text(row, place.mode);
    const name = `${text(row, place.workload)} in ${mode}`;
    if (!row.dataset.n) return [name, row.dataset.why || "not timed"];
    const [passes, rounds] = row.dataset.n.split(" ");
    const speedup = row.cells[place.speedup];
    const [ratio, interval] = [speedup.firstChild?.textContent.trim(), speedup.querySelector("small")];
    return [
      name,
      interval ? `${ratio} the speed of eager, 95% interval ${interval.textContent}` : "",
      `latency ${text(row, place.latency)}${row.dataset.i ? `, 95% interval ${row.dataset.i}` : ""}`,
      `median call ${row.dataset.m}, disturbances included`,
      `${rounds} rounds in ${passes} ${passes === "1" ? "pass" : "passes"}`,
    ];
  };
  const say = (row, x, y) => {
    tip.textContent = words(row).filter(Boolean).join("\n");
    tip.hidden = false;
    const width = document.documentElement.clientWidth;
    tip.style.left = `${Math.max(8, Math.min(x + 14, width - tip.offsetWidth - 8)) + scrollX}px`;
    tip.style.top = `${y + 18 + scrollY}px`;
  };
  const hush = () => (tip.hidden = true);
  body.addEventListener("mousemove", (event) => {
    const row = event.target.closest("tr");
    if (row) say(row, event.clientX, event.clientY);
  });
  body.addEventListener("mouseleave", hush);
  body.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr");
    const at = row.getBoundingClientRect();
    if (event.target === row) say(row, at.left + 40, at.bottom - 18);
    else hush();
  });
  body.addEventListener("focusout", hush);

  // Arrow keys go from row to row; Enter opens the details

  const details = (row) => row.id.split("/").filter((_, index) => index !== 2).join("/");
  if (rows.length) rows[0].tabIndex = 0;
  body.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hush();
    const row = event.target.closest("tr");
    if (event.target !== row) return undefined;
    if (event.key === "Enter") location.hash = encodeURI(details(row));
    const there = [...body.rows].filter((each) => !each.hidden);
    const to = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -1e9, End: 1e9 }[event.key];
    if (!to) return undefined;
    event.preventDefault();
    const next = there[Math.max(0, Math.min(there.length - 1, there.indexOf(row) + to))];
    for (const each of there) each.tabIndex = -1;
    next.tabIndex = 0;
    return next.focus();
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (event.target.closest("a") || !row || !getSelection().isCollapsed) return;
    if (event.target.closest("th")) {
      location.hash = encodeURI(details(row));
      return;
    }
    history.replaceState(null, "", `#${encodeURI(row.id)}`);
    for (const each of body.rows) each.tabIndex = -1;
    row.tabIndex = 0;
    row.focus({ preventScroll: true });
  });

  copyable(document);
  addEventListener("hashchange", open);
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
  if (location.hash) open();
})();
