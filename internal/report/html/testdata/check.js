// What a page is checked for in a browser. Runs in the page; the answer goes to the page around it.
(async () => {
  const said = [];
  const say = (kind, what) => { if (said.length < 40) said.push(kind + ": " + what); };
  const where = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.getAttribute("class") ? "." + e.getAttribute("class").trim().replace(/\s+/g, ".") : "");
  for (const d of document.querySelectorAll("details")) d.open = true;
  await document.fonts.ready;

  // Nothing sticks out at the side.
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width + 1) {
    say("overflow", document.documentElement.scrollWidth + " of " + width + " pixels");
    for (const e of document.body.querySelectorAll("*")) {
      const r = e.getBoundingClientRect();
      if (r.width > 0 && (r.right > width + 1 || r.left < -1) && !e.closest("svg, .scroll, pre")) say("overflow", where(e) + " " + e.textContent.slice(0, 60));
    }
  }

  // Every value that a machine wrote stands apart from letters that run from right to left.
  const machine = /\d{4}-\d\d-\d\d|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{12,}\b|(?:^|[\s(])\/[\w.-]+\/[\w.\/-]+|\b[A-Za-z]:\\\w+|[\w.+-]+@[\w-]+\.[\w.-]+/;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (/\[\?/.test(n.data)) say("missing", where(e) + " " + n.data);
    if (document.dir !== "rtl" || e.closest("style, script")) continue;
    const m = machine.exec(n.data);
    if (!m) continue;
    if (e.closest("svg")) {
      // Characters isolate there. A text that runs from left to right needs none.
      if (getComputedStyle(e).direction === "ltr" && e.tagName !== "title" && e.tagName !== "desc") continue;
      let open = 0;
      for (const c of n.data.slice(0, m.index + 1)) open += c === "\u2066" || c === "\u2068" ? 1 : c === "\u2069" ? -1 : 0;
      if (open === 0) say("isolate", where(e) + " " + n.data);
    } else if (!e.closest("bdi, [dir=ltr]")) {
      say("isolate", where(e) + " " + n.data);
    }
  }

  if (window.axe) {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    for (const v of found.violations) say("axe", v.id + " (" + v.nodes.length + "): " + v.help + ": " + v.nodes.slice(0, 3).map((k) => k.html.slice(0, 160)).join(" | "));
  }
  parent.postMessage(said, "*");
})().catch((e) => parent.postMessage(["error: " + e], "*"));
