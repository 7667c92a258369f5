import { describe, expect, test } from 'vitest'
import { checkContent } from './content.ts'
import { fillIn, memberVariables, render, variablesOf } from './template.ts'

const plain = { channel: 'wecom', body: '您好,{{ brand.name }}上新了', attachments: [], sms: null } as const

describe('a template', () => {
  test('is filled with facts', () => {
    expect(fillIn('{{ member.name }},您好', { member: { name: '王芳' } })).toBe('王芳,您好')
  })

  test('with an unknown fact gives nothing, unless it says what to write then', () => {
    expect(fillIn('{{ member.name }},您好', { member: {} })).toBeUndefined()
    expect(fillIn('{{ member.name | default: "亲" }},您好', { member: {} })).toBe('亲,您好')
    expect(fillIn('{% if member.name %}{{ member.name }}{% else %}亲{% endif %}', { member: {} })).toBe('亲')
    expect(render('{{ member.name }},您好', { member: {} })).toBe(',您好')
  })

  test('reaches neither prototypes nor files', () => {
    expect(fillIn('{{ member.constructor.name }}', { member: { name: 'x' } })).toBeUndefined()
    expect(() => fillIn('{% include "package.json" %}', {})).toThrow()
  })

  test('that would run for ever is stopped', () => {
    const loop = '{% for a in (1..1000000) %}{% for b in (1..1000000) %}x{% endfor %}{% endfor %}'
    expect(() => fillIn(loop, {})).toThrow(/limit/)
  })

  test('names its variables', () => {
    expect(variablesOf('{{ member.name }} {% if coupon.amount > 3 %}{{ sender.name }}{% endif %}')).toEqual([
      'coupon.amount',
      'member.name',
      'sender.name',
    ])
    expect(memberVariables(['{{ sender.name }} {{ brand.name }}'])).toEqual([])
  })
})

describe('the check before going live', () => {
  test('says that a member variable cannot be mass sent', () => {
    expect(checkContent(plain)).toMatchObject({ faults: [], perMember: false })
    expect(checkContent({ ...plain, body: '{{ member.name }},您好' })).toMatchObject({
      faults: [],
      perMember: true,
      memberVariables: ['member.name'],
    })
  })

  test('finds what the channel would refuse', () => {
    const faulty = (more: object) => checkContent({ ...plain, ...more }).faults.map((fault) => fault.field)
    expect(faulty({ body: '{{ member.name' })).toEqual(['body'])
    expect(faulty({ body: '很'.repeat(1400) })).toEqual(['body'])
    const link = { type: 'link', title: 'a', url: 'https://a.cn/' } as const
    expect(faulty({ attachments: Array.from({ length: 10 }, () => link) })).toEqual(['attachments'])
    expect(faulty({ attachments: [{ ...link, url: 'javascript:alert(1)' }] })).toEqual(['attachments'])
    expect(faulty({ attachments: [{ ...link, url: `https://a.cn/${'x'.repeat(2040)}` }] })).toEqual([
      'attachments',
    ])
  })

  test('says that an SMS without an approved template goes to a simulated provider only', () => {
    expect(checkContent({ ...plain, channel: 'sms' }).needsApproval).toBe(true)
  })
})
