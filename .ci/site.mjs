// Usage: node .ci/site.mjs
// Builds the browser's side into target/site: WebAssembly, its loader, the style sheet and the icons, named by their content and
// compressed. Writes nothing when nothing has changed, so that the program, which embeds these files, is not compiled again.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const require = createRequire(new URL('../end2end/package.json', import.meta.url));
process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const NAME = 'mediamanager-auth';
const CRATE = 'mediamanager_auth';
const SITE = 'target/site';
const WORK = 'target/site-work';
const STAMP = `${WORK}/built-from`;

const run = (program, ...args) => {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) console.error(`site: ${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
};
const hash = (...parts) => parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest('base64url');
const filesOfSite = () =>
  existsSync(SITE) ? readdirSync(SITE, { recursive: true }).filter(name => statSync(`${SITE}/${name}`).isFile()).sort() : [];
// `cargo leptos watch` writes into the same folder, so the site itself counts and not only what it is made of.
const stampOf = sources => hash(sources, ...filesOfSite().flatMap(name => [name, readFileSync(`${SITE}/${name}`)]));

// Cargo itself decides whether the WebAssembly has to be compiled.
run('cargo', 'build', '--locked', '--lib', '--profile', 'wasm-release', '--target', 'wasm32-unknown-unknown', '--no-default-features', '--features', 'hydrate');
const compiled = `target/wasm32-unknown-unknown/wasm-release/${CRATE}.wasm`;
const icons = readdirSync('public');
const inputs = [compiled, 'style/main.css', 'Cargo.toml', 'end2end/package-lock.json', '.ci/site.mjs', ...icons.map(icon => `public/${icon}`)];
const sources = hash(...inputs.map(input => readFileSync(input)));
if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stampOf(sources)) process.exit(0);

console.log('site: shrinking the WebAssembly');
run('wasm-bindgen', '--target', 'web', '--no-typescript', '--out-dir', WORK, '--out-name', NAME, compiled);
run('wasm-opt', '-Oz', '--enable-bulk-memory', '--enable-nontrapping-float-to-int', '-o', `${WORK}/${NAME}.wasm`, `${WORK}/${NAME}_bg.wasm`);
const loader = require('esbuild').transformSync(readFileSync(`${WORK}/${NAME}.js`, 'utf8'), { minify: true, format: 'esm', target: 'es2022' });

console.log('site: style sheet');
const { browserslistToTargets, transform } = require('lightningcss');
const browsers = /^browserquery = "(.*)"$/m.exec(readFileSync('Cargo.toml', 'utf8'))[1];
const style = transform({ filename: 'main.css', code: readFileSync('style/main.css'), minify: true, targets: browserslistToTargets(require('browserslist')(browsers)) });

const files = new Map(icons.map(icon => [icon, readFileSync(`public/${icon}`)]));
for (const [extension, content] of [['js', loader.code], ['wasm', readFileSync(`${WORK}/${NAME}.wasm`)], ['css', style.code]]) {
  files.set(`pkg/${NAME}.${hash(content).slice(0, 16)}.${extension}`, Buffer.from(content));
}
for (const [name, content] of [...files]) {
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  files.set(`${name}.br`, brotliCompressSync(content, { params: quality }));
  files.set(`${name}.gz`, gzipSync(content, { level: 9 }));
}

// A file keeps its time when its content is the same.
mkdirSync(`${SITE}/pkg`, { recursive: true });
for (const [name, content] of files) {
  const path = `${SITE}/${name}`;
  if (!existsSync(path) || !readFileSync(path).equals(content)) writeFileSync(path, content);
}
for (const name of filesOfSite()) if (!files.has(name)) rmSync(`${SITE}/${name}`);
writeFileSync(STAMP, stampOf(sources));
