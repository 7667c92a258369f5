/** What a content is made of. */
import type { ChannelName } from '../../../contract/reach.ts'

export const contentKinds = ['activity', 'care', 'product', 'interaction', 'service'] as const
export type ContentKind = (typeof contentKinds)[number]

export type LinkAttachment = {
  type: 'link'
  title: string
  url: string
  description?: string
  pictureUrl?: string
}

export type Content = {
  id: string
  name: string
  channel: ChannelName
  kind: ContentKind
  /** Liquid. For SMS the text that the provider's template gives, for people to read. */
  body: string
  attachments: readonly LinkAttachment[]
  /**
   * Signature and template as approved by the provider, and the Liquid text of each of its parameters.
   * Null: only a simulated channel can send it.
   */
  sms: { sign: string; template: string; params: Record<string, string> } | null
  demo: boolean
}
