/**
 * A Chromium for tests and benchmarks: the one inside a package, unpacked once per version, with a Chinese font, running
 * as whoever runs it.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type chromiumPackage from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'
import { unwrapWoff } from './font.ts'

const require = createRequire(import.meta.url)
const CHROMIUM = '@sparticuz/chromium'
const FONT = '@fontsource/noto-sans-sc'
const WEIGHTS = [400, 700]
/** Not `--single-process`: with it a page that crashes takes the browser along, and closing a page hangs. */
const FLAGS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--font-render-hinting=none',
  '--disable-gpu',
  '--lang=zh-CN',
]

/** Starts a browser; whoever asked closes it. */
export async function openBrowser(): Promise<Browser> {
  const folder = await unpacked()
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: FLAGS,
    // Without UTF-8 Chromium gives a file with a Chinese name another one.
    env: { ...process.env, FONTCONFIG_FILE: join(folder, 'fonts.conf'), HOME: folder, LC_ALL: 'C.UTF-8' },
  })
}

/** Unpacks into a draft and renames it, so that two runs at once never see half a browser. */
async function unpacked(): Promise<string> {
  const version = await versionOf(CHROMIUM)
  const folder = join(tmpdir(), `liuliang-chromium-${version}-${process.getuid?.() ?? 0}`)
  if (await stat(folder).catch(() => undefined)) return folder
  const draft = `${folder}.${randomBytes(4).toString('hex')}`
  await mkdir(join(draft, 'chinese'), { recursive: true })
  await unpackChromium(draft)
  for (const weight of WEIGHTS) {
    const name = `noto-sans-sc-chinese-simplified-${weight}-normal`
    const file = join(dirname(require.resolve(`${FONT}/package.json`)), 'files', `${name}.woff`)
    await writeFile(join(draft, 'chinese', `${name}.otf`), unwrapWoff(await readFile(file)))
  }
  await writeFile(join(draft, 'fonts.conf'), fontSettings(folder))
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }))
  return folder
}

/** The package unpacks into the system's temporary folder under fixed names; for this moment that is `folder`. */
async function unpackChromium(folder: string): Promise<void> {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    const { default: pack } = (await import(CHROMIUM)) as { default: typeof chromiumPackage }
    await pack.executablePath()
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

function fontSettings(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <dir>${folder}/chinese</dir>
  <cachedir>${folder}/font-cache</cachedir>
</fontconfig>
`
}

async function versionOf(name: string): Promise<string> {
  let folder = dirname(require.resolve(name))
  for (;;) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}')
    const { name: found, version } = JSON.parse(text) as { name?: string; version?: string }
    if (found === name && version !== undefined) return version
    folder = dirname(folder)
  }
}
