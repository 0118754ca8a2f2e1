import fs from 'node:fs';
for (const f of process.argv.slice(2)) {
  const p = JSON.parse(fs.readFileSync(f)); const self = new Map(); const by = new Map(p.nodes.map(n => [n.id, n]));
  p.samples.forEach((id, i) => { const n = by.get(id), k = n.callFrame.functionName + ' ' + n.callFrame.url.split('/').at(-1) + ':' + n.callFrame.lineNumber; self.set(k, (self.get(k) ?? 0) + p.timeDeltas[i]); });
  const tot = [...self.values()].reduce((a, b) => a + b, 0);
  console.log(f, (tot/1e6).toFixed(2) + 's'); for (const [k, v] of [...self].sort((a, b) => b[1] - a[1]).slice(0, 16)) console.log('  ', (100 * v / tot).toFixed(1), k);
}
