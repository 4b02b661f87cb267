// Run by tools/pdf.py in the rendered introduction: makes one document of all pages, for
// printing, with links inside it where there were links between pages.

// What only a screen needs: scripts, buttons, and code that a page shows folded.
const ON_SCREEN = "script, style, link, .headerlink, .copybtn, details.hide.above-input";
const EXPLORER = "Here the page has an explorer; its still figure stands before it.";
const TOOL = "Here the page has a tool, which runs the network on a picture of yours.";
const REFERRING = ["for", "headers", "aria-labelledby", "aria-describedby"];

/** The name that a page gets in the document: `book-01_dataset`. */
const nameOf = (url) => url.pathname.replace(/^\/|\.html$/g, "").replaceAll("/", "-");

const create = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

/** Leave out what paper cannot show, and open what is folded. */
function tidy(article) {
  const say = (text) => create("p", { className: "on-the-page", textContent: text });
  for (const one of article.querySelectorAll("[data-explorer]")) one.replaceWith(say(EXPLORER));
  for (const one of article.querySelectorAll("[data-try]")) one.replaceWith(say(TOOL));
  for (const one of article.querySelectorAll(ON_SCREEN)) one.remove();
  for (const one of article.querySelectorAll("details")) one.open = true;
}

/** Give all ids the page's name, since pages use the same ones, and follow them. */
function renameIds(article, name) {
  for (const one of article.querySelectorAll("[id]:not(svg *)")) one.id = `${name}--${one.id}`;
  for (const attribute of REFERRING) {
    for (const one of article.querySelectorAll(`[${attribute}]:not(svg *)`)) {
      const ids = one.getAttribute(attribute).split(" ");
      one.setAttribute(attribute, ids.map((id) => `${name}--${id}`).join(" "));
    }
  }
}

/** Lead links to pages into the document; drop those to other files of the site. */
function redirect(article, address, names) {
  for (const image of article.querySelectorAll("img[src]")) {
    image.src = new URL(image.getAttribute("src"), address).href;
    image.loading = "eager";
  }
  for (const link of article.querySelectorAll("a[href]")) {
    const url = new URL(link.getAttribute("href"), address);
    const name = nameOf(url);
    if (url.origin !== address.origin) continue;
    if (names.has(name)) {
      const id = decodeURIComponent(url.hash.slice(1));
      link.setAttribute("href", id ? `#${name}--${id}` : `#${name}`);
    } else {
      link.replaceWith(...link.childNodes);
    }
  }
}

/** Fetch a page and make a part of the document of it. */
async function readPage(address, names) {
  const text = await (await fetch(address)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const article = page.querySelector("article.bd-article");
  tidy(article);
  redirect(article, address, names);
  renameIds(article, nameOf(address));
  article.id = nameOf(address);
  return document.adoptNode(article);
}

/** The side bar's captions and links, as the table of contents. */
function listContents(sideBar) {
  const addresses = [];
  const contents = create("nav", { className: "whole-contents" });
  for (const one of sideBar.querySelectorAll(".caption-text, a.reference.internal")) {
    if (one.matches("a")) {
      const address = new URL(one.href.split("#")[0]);
      addresses.push(address);
      const link = create("a", { href: `#${nameOf(address)}` }, one.textContent.trim());
      const number = create("span", { className: "number", textContent: "000" });
      contents.append(create("p", {}, link, number));
    } else {
      contents.append(create("p", { className: "part", textContent: one.textContent }));
    }
  }
  return { addresses, contents };
}

/** Write the numbers of pages into the contents, once they are known. */
function numberContents(pages) {
  for (const line of document.querySelectorAll(".whole-contents p:has(a)")) {
    const name = decodeURIComponent(line.querySelector("a").hash.slice(1));
    line.querySelector(".number").textContent = pages[name];
  }
}

/** Put the whole book in place of the page. `edition` stands below its title. */
async function assemble(edition) {
  const title = document.querySelector("h1").firstChild.textContent;
  const { addresses, contents } = listContents(document.querySelector("nav.bd-links"));
  const names = new Set(addresses.map(nameOf));
  const articles = await Promise.all(addresses.map((one) => readPage(one, names)));
  const cover = create("header", {},
    create("p", { className: "title", textContent: title }),
    create("p", { textContent: edition }),
    create("h1", { textContent: "Contents" }), contents);
  const column = create("div", { className: "bd-article-container" }, cover, ...articles);
  document.body.replaceChildren(create("main", { className: "bd-main" },
    create("div", { className: "bd-content" }, column)));
  document.title = title;
  await globalThis.MathJax.typesetPromise([column]);
  await Promise.all([...document.images].map((image) => image.decode()));
  return articles.length;
}

Object.assign(globalThis, { assemble, numberContents }); // tools/pdf.py calls them
