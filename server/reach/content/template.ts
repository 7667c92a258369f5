/** Templates: Liquid without files, without prototypes, with bounds; a name that has no value is an error, never a gap. */
import { Liquid, type Template } from 'liquidjs'

const MAX_TEMPLATE = 8000
const engine = new Liquid({
  ownPropertyOnly: true,
  strictFilters: true,
  strictVariables: true,
  // `{{ member.name | default: "…" }}` is how a template says what to write where nothing is known.
  lenientIf: true,
  parseLimit: MAX_TEMPLATE,
  renderLimit: 200,
  memoryLimit: 200_000,
  templates: {},
})

/** What is wrong with a template, or undefined. */
export function faultOf(template: string): string | undefined {
  try {
    parse(template)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The names that a template uses, as dotted paths: ['member.name', 'sender.name']. Errors: not a template. */
export function variablesOf(template: string): string[] {
  return engine
    .fullVariablesSync(template)
    .map((name) => String(name))
    .sort()
}

/** The text, or undefined where a fact that it names is not known. Errors: not a template. */
export function fillIn(template: string, facts: Record<string, unknown>): string | undefined {
  const parsed = parse(template)
  try {
    return String(engine.renderSync(parsed, facts))
  } catch (error) {
    if (error instanceof Error && error.name === 'UndefinedVariableError') return undefined
    throw error
  }
}

/** The text, with nothing in the place of facts that are not known: for people to read and correct. */
export function render(template: string, facts: Record<string, unknown>): string {
  return String(engine.renderSync(parse(template), facts, { strictVariables: false }))
}

/** Values of these are the same for all members of one mass message. */
const SHARED = ['sender', 'brand', 'store']

/** Names of one member's values in the templates: such content can only be copied by hand. */
export function memberVariables(templates: readonly string[]): string[] {
  const names = templates.flatMap(variablesOf)
  return [...new Set(names.filter((name) => !SHARED.includes(name.split(/[.[]/)[0] ?? '')))]
}

const parsed = new Map<string, Template[]>()
const MAX_PARSED = 500

function parse(template: string): Template[] {
  const known = parsed.get(template)
  if (known) return known
  const fresh = engine.parse(template)
  if (parsed.size >= MAX_PARSED) parsed.clear()
  parsed.set(template, fresh)
  return fresh
}
