/* Histories drawn by uPlot in place of the drawings that came with the page: values
   under the pointer and by arrow keys. Where anything fails, those drawings stay. */
"use strict";
(() => {
  const LANG = document.documentElement.lang || "de";
  const ZONE = "Europe/Berlin";
  const NARROW_PX = 600;
  const DAY_S = 86400;
  // Factor to what people read, the unit's word; as dashboards/formats.py.
  const UNITS = {
    bps: [1e-6, "Mbit/s"],
    s: [1e3, "ms"],
    ratio: [100, "%"],
    dbm: [1, "dBm"],
    db: [1, "dB"],
  };
  const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };

  const numbers = [0, 1].map(
    (digits) => new Intl.NumberFormat(LANG, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  const axisNumber = new Intl.NumberFormat(LANG, { maximumFractionDigits: 2 });
  const time = (parts) => new Intl.DateTimeFormat(LANG, { timeZone: ZONE, ...parts });
  const two = "2-digit";
  const CLOCK = time({ hour: two, minute: two });
  const DAY = time({ day: two, month: two });
  const MONTH = time({ month: two, year: two });
  const DATE = time({ day: two, month: two, year: "numeric" });
  const MOMENT = time({ day: two, month: two, year: "numeric", hour: two, minute: two });
  const at = (format, seconds) => format.format(new Date(seconds * 1000));

  const valueText = (value, unit) => {
    const [factor, word] = UNITS[unit];
    const scaled = value * factor;
    const text = numbers[unit === "bps" && scaled >= 99.95 ? 0 : 1].format(scaled);
    return `${text.replace("-", "−")} ${word}`;
  };

  const timeLabels = (_plot, splits, _axis, _space, step) =>
    splits.map((second) => {
      if (step >= 28 * DAY_S) return at(MONTH, second);
      const clock = at(CLOCK, second);
      return step >= DAY_S || clock === "00:00" ? at(DAY, second) : clock;
    });

  /* How the legend draws a curve or a mark, so that both always look the same. */
  const lookOf = (figure, selector) => {
    const line = figure.querySelector(`${selector} line`);
    const style = getComputedStyle(line);
    const dash = style.strokeDasharray;
    return {
      stroke: style.stroke,
      dash: dash === "none" ? [] : dash.split(/[ ,]+/).map(parseFloat),
    };
  };
  const faint = (colour) => colour.replace("rgb(", "rgba(").replace(")", ", 0.14)");

  /* All series on one time axis; undefined is "no value of this one at that time"
     and joins, null is a gap and does not. */
  const columnsOf = (reply) => {
    const shift = reply.step_s / 2;
    return uPlot.join(
      reply.series.map(({ at_s, mean, low, high }) => {
        const times = at_s.map((second) => second + shift);
        return low ? [times, mean, low, high] : [times, mean];
      }),
    );
  };

  const rangeOf = (unit, marks) => (_plot, low, high) => {
    const values = [low, high, ...marks].filter((value) => value !== null && value !== undefined);
    const isLevel = unit === "db" || unit === "dbm";
    const top = Math.max(...values, isLevel ? -Infinity : 0);
    const bottom = isLevel ? Math.min(...values) : 0;
    return uPlot.rangeNum(bottom, top === bottom ? bottom + 1 : top, 0.1, !isLevel);
  };

  /* Lines of contract and target, crosses where a measurement failed. */
  const drawExtras = (figure, reply) => (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    for (const { name, value } of reply.marks) {
      const look = lookOf(figure, `[data-mark="${name}"]`);
      const y = Math.round(plot.valToPos(value, "y", true));
      ctx.beginPath();
      ctx.lineWidth = 1.5 * ratio;
      ctx.strokeStyle = look.stroke;
      ctx.setLineDash(look.dash.map((length) => length * ratio));
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    const cross = figure.querySelector("[data-failed] path");
    ctx.strokeStyle = cross ? getComputedStyle(cross).stroke : "#b3181f";
    ctx.lineWidth = 1.8 * ratio;
    const size = 3 * ratio;
    const y = bbox.top + bbox.height - 5 * ratio;
    for (const second of reply.failed_at_s) {
      const x = plot.valToPos(second + reply.step_s / 2, "x", true);
      ctx.beginPath();
      ctx.moveTo(x - size, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.moveTo(x + size, y - size);
      ctx.lineTo(x - size, y + size);
      ctx.stroke();
    }
    ctx.restore();
  };

  class Chart {
    constructor(figure, reply) {
      this.figure = figure;
      this.reply = reply;
      this.unit = figure.dataset.unit;
      this.data = columnsOf(reply);
      // Where each series stands among the columns, and what it is called.
      this.curves = [];
      let column = 1;
      for (const each of reply.series) {
        const key = `[data-metric="${each.metric}"]`;
        this.curves.push({
          column,
          ranged: each.low !== null,
          label: figure.querySelector(key).textContent.trim(),
          look: lookOf(figure, key),
        });
        column += each.low === null ? 1 : 3;
      }
      this.stops = this.data[0]
        .map((_, index) => index)
        .filter((index) => this.curves.some((curve) => this.valueAt(curve, index) !== null));
      this.at = null;
      this.build();
    }

    valueAt(curve, index, offset = 0) {
      return this.data[curve.column + offset][index] ?? null;
    }

    build() {
      const { figure } = this;
      const make = (tag, attributes, parent) => {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
        parent.append(element);
        return element;
      };
      const drawn = figure.querySelector(".drawn");
      this.live = document.createElement("div");
      this.live.className = "live";
      drawn.after(this.live);
      this.stage = make("div", {
        class: "stage",
        tabindex: "0",
        role: "application",
        "aria-roledescription": figure.dataset.role,
        "aria-label": `${figure.dataset.title}. ${figure.dataset.help}`,
      }, this.live);
      this.readout = make("p", { class: "readout", "aria-hidden": "true" }, this.live);
      this.readout.textContent = figure.dataset.hint;
      this.spoken = make("p", { class: "visually-hidden", "aria-live": "polite" }, this.live);
      drawn.hidden = true;
      try {
        this.plot = new uPlot(this.options(), this.data, this.stage);
      } catch (error) {
        drawn.hidden = false;
        this.live.remove();
        throw error;
      }
      this.stage.addEventListener("keydown", (event) => this.pressed(event));
      new ResizeObserver(() => this.plot.setSize(this.size())).observe(this.live);
    }

    size() {
      const width = this.live.clientWidth;
      const wide = this.figure.classList.contains("plot-rates");
      return { width, height: width < NARROW_PX ? 220 : wide ? 300 : 240 };
    }

    options() {
      const { reply, unit } = this;
      const style = getComputedStyle(document.documentElement);
      const ink = style.getPropertyValue("--soft").trim();
      const grid = { stroke: "#e3e8ed", width: 1 };
      const ends = [reply.first_at, reply.last_at].map((moment) => Date.parse(moment) / 1000);
      const series = [{}];
      const bands = [];
      for (const { column, ranged, look } of this.curves) {
        series.push({ stroke: look.stroke, dash: look.dash, width: 2 });
        if (ranged) {
          series.push({ points: { show: false } }, { points: { show: false } });
          bands.push({ series: [column + 2, column + 1], fill: faint(look.stroke) });
        }
      }
      const marks = reply.marks.map(({ value }) => value);
      const font = "12px system-ui, sans-serif";
      return {
        ...this.size(),
        tzDate: (second) => uPlot.tzDate(new Date(second * 1000), ZONE),
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { x: { range: () => ends }, y: { range: rangeOf(unit, marks) } },
        series,
        bands,
        axes: [
          // A year is told by months: few labels, wide apart.
          { stroke: ink, grid: { show: false }, ticks: grid, font, values: timeLabels, space: reply.span === "1y" ? 85 : 60 },
          {
            stroke: ink,
            grid,
            ticks: { show: false },
            font,
            size: 56,
            values: (_plot, splits) => splits.map((value) => axisNumber.format(value * UNITS[unit][0]).replace("-", "−")),
          },
        ],
        hooks: {
          draw: [drawExtras(this.figure, reply)],
          setCursor: [(plot) => this.pointed(plot)],
        },
      };
    }

    /* The pointer has moved: show what is nearest. */
    pointed(plot) {
      if (this.moving || plot.cursor.idx === null || plot.cursor.idx === undefined || !this.stops.length) return;
      const wanted = this.data[0][plot.cursor.idx];
      const distance = (stop) => Math.abs(this.data[0][this.stops[stop]] - wanted);
      let low = 0;
      let high = this.stops.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.data[0][this.stops[middle]] < wanted) low = middle + 1;
        else high = middle;
      }
      this.at = low > 0 && distance(low - 1) < distance(low) ? low - 1 : low;
      this.readout.textContent = this.text();
    }

    pressed(event) {
      const last = this.stops.length - 1;
      if (last < 0) return;
      if (event.key === "Escape") {
        this.at = null;
        this.show("", { left: -10, top: -10 });
        this.readout.textContent = this.figure.dataset.hint;
        return;
      }
      if (event.key === "Home") this.at = 0;
      else if (event.key === "End") this.at = last;
      else if (event.key in STEPS) {
        const from = this.at ?? (STEPS[event.key] < 0 ? last + 1 : -1);
        this.at = Math.min(last, Math.max(0, from + STEPS[event.key]));
      } else return;
      event.preventDefault();
      const left = this.plot.valToPos(this.data[0][this.stops[this.at]], "x");
      this.show(this.text(), { left, top: this.plot.over.clientHeight / 2 });
    }

    show(text, place) {
      this.moving = true;
      this.plot.setCursor(place);
      this.moving = false;
      this.readout.textContent = text;
      this.spoken.textContent = text;
    }

    /* What was measured at a time, in words. */
    text() {
      const { reply, unit, figure } = this;
      const index = this.stops[this.at];
      const second = this.data[0][index] - reply.step_s / 2;
      const when = at(reply.grain === "day" ? DATE : MOMENT, second);
      const told = this.curves
        .filter((curve) => this.valueAt(curve, index) !== null)
        .map((curve) => {
          const text = `${curve.label} ${valueText(this.valueAt(curve, index), unit)}`;
          const [low, high] = curve.ranged ? [1, 2].map((n) => this.valueAt(curve, index, n)) : [null, null];
          if (low === high) return text;
          const range = figure.dataset.range
            .replace("{low}", valueText(low, unit))
            .replace("{high}", valueText(high, unit));
          return `${text} (${range})`;
        });
      return `${when}: ${told.join(", ")}`;
    }
  }

  const draw = async (figure) => {
    try {
      const answer = await fetch(figure.dataset.history, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      figure.chart = new Chart(figure, await answer.json());
      figure.classList.add("is-live");
    } catch (error) {
      console.warn("the drawing of the server stays:", error);
    }
  };

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "600px 0px" },
  );
  for (const figure of document.querySelectorAll("figure[data-history]")) near.observe(figure);
})();
