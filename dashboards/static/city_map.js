// The map that can be moved, from what the drawing on the page already says.
// Without this script, or without Leaflet, the drawing stays as it is.
"use strict";
(function () {
  const box = document.getElementById("karte-bild");
  const drawing = box && box.querySelector("svg");
  if (!drawing || !window.L) return;

  const SVG = "http://www.w3.org/2000/svg";
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const say = box.dataset;
  const pair = (text) => text.split(",").map(Number);

  function symbol(look) {
    const svg = document.createElementNS(SVG, "svg");
    const use = document.createElementNS(SVG, "use");
    svg.setAttribute("class", "sym");
    svg.setAttribute("width", "20");
    svg.setAttribute("height", "20");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", "#s-" + look);
    svg.append(use);
    return svg;
  }

  function card(title, href) {
    const cut = title.lastIndexOf(": ");
    const content = document.createElement("div");
    const name = document.createElement("b");
    const link = document.createElement("a");
    name.textContent = title.slice(0, cut);
    link.href = href;
    link.textContent = say.open;
    content.append(name, title.slice(cut + 2) + " · ", link);
    return content;
  }

  const pins = [...drawing.querySelectorAll("a.pin")];
  const shapes = [...drawing.querySelectorAll(".hull")];
  const corners = (shape) => shape.dataset.corners.split(" ").map(pair);
  const places = pins.length
    ? pins.map((pin) => pair(pin.dataset.at))
    : shapes.flatMap(corners);
  if (!places.length) return;

  const live = document.createElement("div");
  live.className = "map-live";
  live.setAttribute("role", "region");
  live.setAttribute("aria-label", say.label);
  box.append(live);
  const map = L.map(live, {
    zoomControl: false,
    attributionControl: false,
    scrollWheelZoom: false, // the page itself must go on scrolling
    zoomSnap: 0.25,
    zoomAnimation: !calm,
    fadeAnimation: !calm,
    markerZoomAnimation: !calm,
  });
  L.control.zoom({ zoomInTitle: say.zoomIn, zoomOutTitle: say.zoomOut }).addTo(map);
  const credit = L.control.attribution({ prefix: "Leaflet" }).addTo(map);

  map.fitBounds(L.latLngBounds(places), {
    padding: [24, 24],
    maxZoom: 15,
    animate: false,
  });

  const hulls = shapes.map((shape) => {
    const area = L.polygon(corners(shape), {
      className: "map-hull",
      interactive: false,
      fillOpacity: 1,
    }).addTo(map);
    const bounds = area.getBounds();
    L.tooltip({ permanent: true, direction: "top", offset: [0, -8], className: "map-name" })
      .setLatLng([bounds.getNorth(), bounds.getCenter().lng])
      .setContent(document.createTextNode(shape.dataset.name))
      .addTo(map);
    return area;
  });

  pins.forEach((pin, rank) => {
    const look = pin.dataset.look;
    const title = pin.querySelector("title").textContent;
    const href = pin.getAttribute("href");
    const marker = L.marker(pair(pin.dataset.at), {
      icon: L.divIcon({
        className: "map-pin state-" + look,
        html: symbol(look),
        iconSize: [24, 24],
      }),
      title: title,
      zIndexOffset: rank * 10, // the drawing lists the worst last
    });
    const content = card(title, href);
    marker.bindPopup(content, { closeButton: false });
    marker.on("popupopen", () => content.querySelector("a").focus({ preventScroll: true }));
    marker.addTo(map);
    marker.getElement().setAttribute("aria-label", title);
    content.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      marker.closePopup();
      marker.getElement().focus();
    });
  });

  if (say.tiles) {
    // Leaflet takes markup there; the setting is text.
    const owner = document.createElement("span");
    owner.textContent = say.attribution;
    credit.addAttribution(owner.innerHTML);
    const tiles = L.tileLayer(say.tiles, { maxZoom: 19 });
    const hint = document.getElementById("karte-hinweis");
    tiles.on("tileload", () => {
      hulls.forEach((hull) => hull.setStyle({ fillOpacity: 0 }));
      hint.textContent = "";
    });
    tiles.on("tileerror", () => {
      hint.textContent = say.noTiles;
    });
    tiles.addTo(map);
  }

  drawing.setAttribute("hidden", "");
  drawing.style.display = "none";
})();
