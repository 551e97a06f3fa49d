// What a hand on the keyboard or on the glass meets on a page. Evaluated by the debugger, so that
// no policy of the page is concerned; what it remembers between two looks hangs on the window.

(() => {
  const INTERACTIVE = "a[href], area[href], button, input:not([type=hidden]), select, textarea,"
    + " summary, iframe, audio[controls], video[controls],"
    + " [contenteditable]:not([contenteditable=false]), [tabindex]";
  const SIDE = 24; // CSS pixels: WCAG 2.2, 2.5.8.

  const name = element => {
    const text = (element.getAttribute("aria-label") || element.innerText || element.value || "")
      .trim().split(/\s+/).join(" ").slice(0, 40);
    const id = element.id ? `#${element.id}` : element.name ? `[name=${element.name}]` : "";
    return `<${element.localName}${id}>${text ? ` "${text}"` : ""}`;
  };

  const isThere = element => element.checkVisibility({visibilityProperty: true})
    && !element.closest("[inert]") && !element.matches(":disabled");

  // Of radio buttons that belong together Tab reaches one; the arrows reach the others.
  const isTabbable = element => {
    if (element.tabIndex < 0) return false;
    if (element.localName === "summary") {
      return element.parentElement?.localName === "details"
        && element === element.parentElement.querySelector(":scope > summary");
    }
    if (element.type !== "radio" || !element.name) return true;
    const scope = element.form || document;
    const group = [...scope.querySelectorAll("input[type=radio]")]
      .filter(other => other.name === element.name && other.form === element.form && isThere(other));
    return element === (group.find(other => other.checked) || group[0]);
  };

  const all = () => [...document.querySelectorAll(INTERACTIVE)].filter(isThere);

  // Where focus may show: on the element, on its label, on what is drawn around the two.
  const shows = element => [element, ...(element.labels || []), element.parentElement]
    .filter(Boolean);

  const look = element => shows(element).flatMap(part => [null, "::before", "::after"].map(kind => {
    const style = getComputedStyle(part, kind);
    const outline = style.outlineStyle === "none" || parseFloat(style.outlineWidth) === 0
      || /^rgba\(.*, 0\)$|\/ 0\)$|^transparent$/.test(style.outlineColor) ? ""
      : `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`;
    return `${outline}|${style.boxShadow}`;
  }));

  const box = element => {
    const boxes = [element, ...(element.labels || [])].map(part => part.getBoundingClientRect())
      .filter(rect => rect.width && rect.height);
    const left = Math.min(...boxes.map(rect => rect.left));
    const top = Math.min(...boxes.map(rect => rect.top));
    const right = Math.max(...boxes.map(rect => rect.right));
    const bottom = Math.max(...boxes.map(rect => rect.bottom));
    return {left, top, right, bottom, width: right - left, height: bottom - top};
  };

  // A link within a sentence is as high as its line.
  const isInSentence = element => element.localName === "a"
    && getComputedStyle(element).display === "inline"
    && [...element.parentElement.childNodes]
      .some(node => node.nodeType === Node.TEXT_NODE && /\w/.test(node.textContent));

  const isSmall = rect => rect.width < SIDE - 0.5 || rect.height < SIDE - 0.5;
  const centre = rect => ({x: (rect.left + rect.right) / 2, y: (rect.top + rect.bottom) / 2});
  const fromRect = (point, rect) => Math.hypot(
    Math.max(rect.left - point.x, 0, point.x - rect.right),
    Math.max(rect.top - point.y, 0, point.y - rect.bottom));

  // The exception "spacing": a circle of 24 pixels around it meets no other target, nor its circle.
  const isCrowded = (rect, others) => others.some(other => {
    const point = centre(rect);
    if (fromRect(point, other) < SIDE / 2) return true;
    const their = centre(other);
    return isSmall(other) && Math.hypot(point.x - their.x, point.y - their.y) < SIDE;
  });

  const tooSmall = () => {
    const targets = all().filter(element => element.tabIndex >= 0 && !isInSentence(element))
      .map(element => ({element, rect: box(element)}))
      .filter(({rect}) => rect.width > 1 && rect.height > 1);
    return targets.filter(({element, rect}) => isSmall(rect) && isCrowded(rect, targets
      .filter(other => other.element !== element).map(other => other.rect)))
      .map(({element, rect}) =>
        `${name(element)} is ${Math.round(rect.width)} × ${Math.round(rect.height)}`);
  };

  const overflowing = () => {
    const width = document.documentElement.clientWidth;
    const wide = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);
    if (wide <= width) return [];
    const culprits = [...document.body.querySelectorAll("*")]
      .filter(element => element.getBoundingClientRect().right > width + 0.5);
    const innermost = culprits.filter(element => !culprits.some(other =>
      other !== element && element.contains(other)));
    return innermost.slice(0, 5).map(name).concat(innermost.length ? [] : ["the body"]);
  };

  const start = () => {
    // Tab goes on from where somebody clicked or typed last: that becomes the top of the page.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.blur();
    document.body.removeAttribute("tabindex");
    getSelection()?.removeAllRanges();
    scrollTo(0, 0);
    const elements = all().filter(isTabbable);
    window.__walk = {elements, before: elements.map(look)};
    return elements.map(name);
  };

  const finishTransitions = () => document.getAnimations().forEach(animation => {
    try { animation.finish(); } catch { /* It has no end, and so it is no transition. */ }
  });

  const isHidden = element => {
    const rect = box(element);
    const inset = 2;
    const xs = [rect.left + inset, centre(rect).x, rect.right - inset];
    const ys = [rect.top + inset, centre(rect).y, rect.bottom - inset];
    return !xs.some(x => ys.some(y => {
      const hit = document.elementFromPoint(x, y);
      return hit && shows(element).slice(0, -1).concat(element.closest("label") || [])
        .some(part => part.contains(hit) || hit.contains(part) && hit !== document.documentElement
          && hit !== document.body);
    }));
  };

  // What has the focus now: its place among those that ought to get it, and how that shows.
  const step = () => {
    const element = document.activeElement;
    if (!element || element === document.body || element === document.documentElement) return null;
    finishTransitions();
    const {elements, before} = window.__walk;
    const place = elements.indexOf(element);
    const now = look(element);
    const shown = place < 0 || now.some((part, index) =>
      part !== before[place][index] && part !== "|none");
    return {place, name: name(element), shown, hidden: isHidden(element)};
  };

  return {overflowing, tooSmall, start, step};
})()
