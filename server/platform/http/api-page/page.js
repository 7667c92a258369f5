// Shows /openapi.json. Everything from the document becomes text, never markup.
const METHODS = ['get', 'post', 'put', 'patch', 'delete']

function element(name, properties = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** A schema as lines a person reads: field, type, whether it may be left out. */
function sketch(schema, root, indent = '', depth = 0) {
  if (!schema) return 'nothing'
  if (schema.$ref) {
    const found = schema.$ref
      .slice(2)
      .split('/')
      .reduce((part, step) => part?.[step], root)
    return depth > 6 ? schema.$ref.split('/').at(-1) : sketch(found, root, indent, depth + 1)
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices)
    return [...new Set(choices.map((choice) => sketch(choice, root, indent, depth + 1)))].join(' | ')
  if (schema.allOf) return schema.allOf.map((part) => sketch(part, root, indent, depth + 1)).join(' & ')
  if (schema.type === 'array') return `[${sketch(schema.items, root, indent, depth + 1)}]`
  if (schema.type === 'object' && schema.properties) {
    if (depth > 6) return '{ … }'
    const inner = `${indent}  `
    const lines = Object.entries(schema.properties).map(([name, part]) => {
      const mark = schema.required?.includes(name) ? '' : '?'
      return `${inner}${name}${mark}: ${sketch(part, root, inner, depth + 1)}`
    })
    return `{\n${lines.join('\n')}\n${indent}}`
  }
  if (schema.type === 'object') return '{ [name]: value }'
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any')
  return schema.format ? `${type} (${schema.format})` : type
}

function section(title, text) {
  return [element('h3', { textContent: title }), element('pre', { textContent: text })]
}

function firstSchema(content) {
  return Object.values(content ?? {})[0]?.schema
}

function show(root, path, method, operation) {
  const parts = []
  if (operation.description) parts.push(element('p', { textContent: operation.description }))
  const parameters = operation.parameters ?? []
  if (parameters.length > 0) {
    const lines = parameters.map(
      (given) => `${given.name}${given.required ? '' : '?'}: ${sketch(given.schema, root)}   (${given.in})`,
    )
    parts.push(...section('Parameters', lines.join('\n')))
  }
  const input = firstSchema(operation.requestBody?.content)
  if (input) parts.push(...section('Body', sketch(input, root)))
  for (const [status, reply] of Object.entries(operation.responses ?? {})) {
    if (status === 'default') continue
    parts.push(...section(`Reply ${status}`, sketch(firstSchema(reply.content), root)))
  }
  const title = element('summary', {}, [
    element('span', { className: `method ${method}`, textContent: method.toUpperCase() }),
    element('code', { textContent: `/api${path}` }),
    element('span', { textContent: operation.summary ?? '' }),
  ])
  const shown = element('details', {}, [title, element('div', { className: 'body' }, parts)])
  shown.dataset.text = `${method} ${path} ${operation.summary ?? ''} ${operation.tags ?? ''}`.toLowerCase()
  return shown
}

function filterRoutes(words) {
  for (const route of document.querySelectorAll('details')) route.hidden = !route.dataset.text.includes(words)
  for (const chapter of document.querySelectorAll('section')) {
    chapter.hidden = [...chapter.querySelectorAll('details')].every((route) => route.hidden)
  }
}

const reply = await fetch('/openapi.json')
const root = await reply.json()
const chapters = new Map()
for (const [path, operations] of Object.entries(root.paths ?? {})) {
  for (const method of METHODS) {
    const operation = operations[method]
    if (!operation) continue
    const tag = operation.tags?.[0] ?? 'other'
    const chapter =
      chapters.get(tag) ?? element('section', { id: tag }, [element('h2', { textContent: tag })])
    chapter.append(show(root, path, method, operation))
    chapters.set(tag, chapter)
  }
}
const names = [...chapters.keys()].sort()
document
  .querySelector('#chapters')
  .append(...names.map((name) => element('a', { href: `#${name}`, textContent: name })))
document.querySelector('#routes').replaceChildren(...names.map((name) => chapters.get(name)))
document
  .querySelector('#filter')
  .addEventListener('input', (event) => filterRoutes(event.target.value.trim().toLowerCase()))
