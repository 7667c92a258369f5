/** Matches the path patterns of stream routes: '/imports/{id}/rejected'. */
export type Pattern = {
  method: string
  path: string
  match(method: string, path: string): Record<string, string> | undefined
}

export function compilePath(method: string, path: string): Pattern {
  const names: string[] = []
  const source = path
    .split('/')
    .map((step) => {
      const name = /^\{(\w+)\}$/.exec(step)?.[1]
      if (name === undefined) return step.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      names.push(name)
      return '([^/]+)'
    })
    .join('/')
  const expression = new RegExp(`^${source}$`)
  return {
    method,
    path,
    match(asked, at) {
      if (asked !== method) return undefined
      const found = expression.exec(at)
      if (!found) return undefined
      return Object.fromEntries(names.map((name, index) => [name, decode(found[index + 1] ?? '')]))
    },
  }
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
