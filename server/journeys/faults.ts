/** What is wrong with a SOP before it goes live: its steps, and the texts that are filled in for each member. */
import { type Fault, faultsOf, type JourneyDefinition } from '../../contract/journey-definition.ts'
import { Problem } from '../platform/problem.ts'
import { faultOf } from '../reach/reach.ts'

export function allFaults(definition: JourneyDefinition): Fault[] {
  return [...faultsOf(definition), ...textFaults(definition)]
}

/** Errors: `bad_input` for a text that is no template. */
export function checkTexts(definition: JourneyDefinition): void {
  const faults = textFaults(definition)
  if (faults.length > 0)
    throw new Problem('bad_input', faults.map((fault) => fault.text.en).join('; '), {
      field: 'texts',
      details: { faults },
    })
}

function textFaults(definition: JourneyDefinition): Fault[] {
  return definition.nodes.flatMap((node) => {
    if (node.kind !== 'task' && node.kind !== 'touch') return []
    const problem = faultOf(node.kind === 'task' ? node.script : node.text)
    if (problem === undefined) return []
    const text = {
      zh: `“${node.title.zh}”的话术写法有误：${problem}`,
      en: `The text of “${node.title.en}” cannot be filled in: ${problem}`,
    }
    return [{ nodeId: node.id, text }]
  })
}
