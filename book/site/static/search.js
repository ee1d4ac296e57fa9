// Looks through search-index.js: names first, then text, then lines of code.
"use strict";

(() => {
  const index = window.searchIndex;
  const MOST = 30;

  // A piece of text around the first of the words, with all of them marked.
  function around(text, words) {
    const low = text.toLowerCase();
    const at = Math.max(0, low.indexOf(words[0]) - 50);
    const piece = (at ? "…" : "") + text.slice(at, at + 170) + (at + 170 < text.length ? "…" : "");
    const signs = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    return piece.split(new RegExp(`(${signs})`, "i")).map((part, n) => {
      const mark = document.createElement(n % 2 ? "mark" : "span");
      mark.textContent = part;
      return mark;
    });
  }

  // Where a heading is: its name as text.py makes it.
  const anchor = (heading) =>
    heading && `#${heading.toLowerCase().replace(/[^\w\- ]/g, "").trim().replaceAll(" ", "-")}`;

  function found(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const has = (text) => words.every((word) => text.toLowerCase().includes(word));
    const results = [];
    for (const [name, kind, page, place] of index.names)
      if (words.length === 1 && name.toLowerCase().includes(words[0])) {
        const rank = name.toLowerCase() === words[0] ? 0 : name.toLowerCase().startsWith(words[0]) ? 2 : 4;
        results.push([rank, page, `#${place}`, `${kind} ${name}`, place]);
      }
    index.pages.forEach(([, title], page) => has(title) && results.push([0, page, "", title, title]));
    for (const [page, heading, text] of index.texts)
      if (has(`${heading} ${text}`)) results.push([3, page, anchor(heading), heading, text]);
    for (const [page, path, numbers, text] of index.code)
      if (has(text))
        text.split("\n").forEach((line, n) => {
          if (has(line)) results.push([5, page, `#${path}:${numbers[n]}`, path, line]);
        });
    return results.sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, MOST).map((r) => [...r, words]);
  }

  window.searchBook = (query, place) => {
    const results = found(query).map(([, page, hash, title, text, words]) => {
      const [address, name] = index.pages[page];
      const small = document.createElement("small");
      small.append(...around(text, words));
      const link = document.createElement("a");
      link.href = place + address + hash;
      if (text === name) link.append(...small.childNodes); // a title says all
      else link.append(title && title !== name ? `${title} · ${name}` : name, small);
      const item = document.createElement("li");
      item.append(link);
      return item;
    });
    if (query.trim() && !results.length) {
      const item = document.createElement("li");
      item.textContent = "Nothing found.";
      return [item];
    }
    return results;
  };
})();
