// Builds i2l_plugin/visualization/data/scene_viewer.js: `npm ci && npm run build` in this folder.
// Its first line holds the digest of what it was built from, so that a test can tell, without Node,
// whether it is the build of these sources.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? '../../i2l_plugin/visualization/data/scene_viewer.js';

const digest = createHash('sha256');
const sources = readdirSync(join(here, 'src')).sort().map((name) => join('src', name));
for (const path of ['build.js', 'package-lock.json', ...sources]) digest.update(readFileSync(join(here, path)));

await build({
  absWorkingDir: here,
  entryPoints: ['src/main.js'],
  outfile: target,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2020',
  charset: 'ascii',
  legalComments: 'inline',
  banner: {
    js: `// Made by tools/html_viewer/build.js from sources ${digest.digest('hex')}.\n`
      + '// Holds parts of three.js (MIT), see NOTICE beside this file.',
  },
});
