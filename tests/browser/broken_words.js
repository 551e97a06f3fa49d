// The words in tables that are short enough for one line, and yet stand on two. A hyphen or a slash ends
// a word. Cards, which a telephone shows instead of a table, have no columns to be squeezed.

(() => {
  const broken = [];
  for (const table of document.querySelectorAll("table")) {
    if (getComputedStyle(table).display !== "table") continue;
    const texts = document.createTreeWalker(table, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode;
      if (text.parentElement.closest(".visually-hidden")) continue;
      for (const word of text.data.matchAll(/(?<![^\s/-])[^\s/-]{2,20}(?![^\s/-])/g)) {
        const range = new Range();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].map(rect => Math.round(rect.top)));
        if (lines.size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
})()
