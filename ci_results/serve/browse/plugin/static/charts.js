// Draws each figure[data-chart] from an HTML table of the same page, so that the chart asks the
// server nothing and the table stays as its accessible twin.
"use strict";

(() => {
  const OUTCOMES = ["FAILED", "ERROR", "NEEDS_INSPECTION", "RUNNING", "QUEUED", "INFO", "PASSED"];
  const MAX_POINTS = 400;

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function colour(series, place) {
    const own = style(`--${series.toLowerCase().replaceAll("_", "-")}`);
    return own || style(`--series-${(place % 8) + 1}`);
  }

  // A hatch makes failures tell apart from the rest without their colour.
  function fill(series, place) {
    const base = colour(series, place);
    if (!["FAILED", "ERROR"].includes(series)) return base;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.fillStyle = base;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = style("--hatch");
    pen.lineWidth = 1.5;
    pen.beginPath();
    if (series === "FAILED") { pen.moveTo(0, 8); pen.lineTo(8, 0); } else { pen.moveTo(0, 4); pen.lineTo(8, 4); }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  }

  function rows(table) {
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.column || cell.textContent.trim());
    return [...table.tBodies[0].rows].map((row) =>
      Object.fromEntries([...row.cells].map((cell, i) => {
        const marked = cell.querySelector("[data-value]");
        return [names[i], marked ? marked.dataset.value : cell.textContent.trim()];
      })));
  }

  const number = (text) => Number(String(text).replaceAll(",", "")) || 0;

  function days(found) {
    const known = [...new Set(found)].sort();
    if (!known.every((day) => /^\d{4}-\d\d-\d\d$/.test(day)) || known.length === 0) return known;
    const every = [];
    const last = Date.parse(known[known.length - 1]);
    for (let at = Date.parse(known[0]); at <= last && every.length < MAX_POINTS; at += 86400000) {
      every.push(new Date(at).toISOString().slice(0, 10));
    }
    return every;
  }

  function stacked(spec, data) {
    const labels = days(data.map((row) => row[spec.x]));
    const found = [...new Set(data.map((row) => row[spec.series]))];
    const known = OUTCOMES.filter((word) => found.includes(word)).reverse();
    const series = [...known, ...found.filter((word) => !known.includes(word)).sort()];
    return {
      type: "bar",
      data: {
        labels,
        datasets: series.map((name, place) => {
          const values = new Map();
          data.filter((row) => row[spec.series] === name).forEach((row) =>
            values.set(row[spec.x], (values.get(row[spec.x]) || 0) + number(row[spec.y])));
          return {
            label: name,
            data: labels.map((label) => values.get(label) || 0),
            backgroundColor: fill(name, place),
            borderWidth: 0,
            categoryPercentage: 0.92,
            barPercentage: 0.96,
          };
        }),
      },
      options: { scales: axes(true) },
    };
  }

  function bars(spec, data) {
    const shown = data.slice(0, spec.rows || 15);
    const chart = {
      type: "bar",
      data: {
        labels: shown.map((row) => row[spec.x]),
        datasets: [{
          label: spec.title,
          data: shown.map((row) => number(row[spec.y])),
          backgroundColor: style("--series-1"),
          borderRadius: 3,
        }],
      },
      options: { indexAxis: "y", scales: axes(false), plugins: { legend: { display: false } } },
    };
    chart.options.scales.y.ticks.callback = function (value) {
      const label = this.getLabelForValue(value);
      const room = this.chart.width < 500 ? 18 : 48;
      return label.length > room ? `…${label.slice(1 - room)}` : label;
    };
    chart.options.scales.y.ticks.autoSkip = false;
    return chart;
  }

  function axes(isStacked) {
    const axis = () => ({
      stacked: isStacked,
      grid: { color: style("--line") },
      ticks: { color: style("--quiet"), maxRotation: 0, autoSkipPadding: 12, precision: 0 },
    });
    return { x: axis(), y: { ...axis(), beginAtZero: true } };
  }

  const KINDS = { stacked, bars };
  const drawn = [];

  function draw(figure) {
    const spec = JSON.parse(figure.dataset.chart);
    const table = document.querySelector(figure.dataset.table);
    const data = table ? rows(table) : [];
    if (data.length === 0) { figure.hidden = true; return; }
    const chart = KINDS[spec.kind](spec, data);
    const box = figure.querySelector(".canvas");
    if (spec.kind === "bars") box.style.height = `${Math.max(8, 2 + chart.data.labels.length * 1.6)}rem`;
    chart.options = {
      ...chart.options,
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      plugins: {
        legend: { position: "bottom", labels: { color: style("--text"), boxWidth: 14, usePointStyle: false } },
        tooltip: { mode: spec.kind === "stacked" ? "index" : "nearest", intersect: false },
        ...(chart.options.plugins || {}),
      },
    };
    drawn.push(new Chart(figure.querySelector("canvas"), chart));
    figure.dataset.drawn = "yes";
  }

  function drawAll() {
    drawn.splice(0).forEach((chart) => chart.destroy());
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    document.querySelectorAll("figure[data-chart]").forEach(draw);
  }

  document.addEventListener("DOMContentLoaded", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
