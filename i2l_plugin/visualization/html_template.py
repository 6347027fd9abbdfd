"""Style and script of `html_page`; nothing in them is loaded from elsewhere."""

STYLE = """
:root { --line: #ddd; --bad: #b00020; --soft: #666; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 0; color: #222; background: #f5f5f5; }
header, main { padding: 12px 16px; }
h1 { font-size: 18px; margin: 0 0 4px; }
table { border-collapse: collapse; }
td, th { padding: 1px 10px 1px 0; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; }
nav { position: sticky; top: 0; z-index: 2; background: #fff; border: solid var(--line);
  border-width: 1px 0; padding: 8px 16px; display: flex; flex-wrap: wrap; gap: 6px 16px; }
nav input[type=number] { width: 5em; }
article { background: #fff; border: 1px solid var(--line); border-left: 5px solid #4a4;
  margin: 0 0 12px; padding: 8px; display: flex; flex-wrap: wrap; gap: 8px 14px; }
article.suspicious { border-left-color: var(--bad); }
article h2 { font-size: 15px; margin: 0 0 4px; }
figure { margin: 0; }
figure img { display: block; }
figcaption { font-size: 12px; color: var(--soft); }
.words { flex: 1 1 260px; min-width: 240px; }
.words td { overflow-wrap: anywhere; }
ul { margin: 4px 0; padding-left: 18px; }
li { color: var(--soft); }
li.bad, .bad { color: var(--bad); font-weight: 600; }
.chip { border: 1px solid var(--line); border-radius: 9px; padding: 0 7px; font-size: 12px; }
summary { cursor: pointer; }
[hidden] { display: none !important; }
"""

SCRIPT = """
'use strict';
const main = document.querySelector('main');
const cards = Array.from(main.querySelectorAll('article'));
const byId = (id) => document.getElementById(id);
const number = (card, key) => card.dataset[key] === '' ? -1 : Number(card.dataset[key]);
const orders = {
  suspicious: (a, b) => number(b, 'suspicious') - number(a, 'suspicious')
    || number(b, 'median') - number(a, 'median'),
  median: (a, b) => number(b, 'median') - number(a, 'median'),
  farthest: (a, b) => number(b, 'farthest') - number(a, 'farthest'),
  index: (a, b) => number(a, 'index') - number(b, 'index'),
};
function update() {
  const text = byId('text').value.toLowerCase();
  const least = Number(byId('least').value);
  let shown = 0;
  for (const card of cards) {
    const keep = (!byId('bad').checked || number(card, 'suspicious') > 0)
      && (!(least > 0) || number(card, 'median') >= least)
      && ['source', 'fit', 'mirrored', 'depth'].every(
        (key) => byId(key).value === '' || byId(key).value === card.dataset[key])
      && (text === '' || card.querySelector('.words').textContent.toLowerCase().includes(text));
    card.hidden = !keep;
    shown += keep;
  }
  cards.sort(orders[byId('order').value]).forEach((card) => main.append(card));
  byId('shown').textContent = `${shown} of ${cards.length} shown`;
}
for (const control of document.querySelectorAll('nav input, nav select')) {
  control.addEventListener('input', update);
}
for (const card of cards) {  // the crop without its mesh while the mouse is over it
  const [crop, mesh] = card.querySelectorAll('img');
  const drawn = mesh.src;
  mesh.addEventListener('pointerenter', () => { mesh.src = crop.src; });
  mesh.addEventListener('pointerleave', () => { mesh.src = drawn; });
}
update();
"""
