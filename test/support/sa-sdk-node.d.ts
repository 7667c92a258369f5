/** The SDK has no types of its own: what the tests call. */
declare module 'sa-sdk-node' {
  type Properties = Record<string, unknown>
  // biome-ignore lint/style/noDefaultExport: it is the module's own.
  export default class SensorsAnalytics {
    submitTo(how: { url: string; gzip: boolean; mode: string; timeout: number }): void
    track(id: string, event: string, properties: Properties): void
    trackSignup(id: string, original: string, properties: Properties): void
    profileSet(id: string, properties: Properties): void
    profileIncrement(id: string, properties: Properties): void
    itemSet(type: string, id: string, properties: Properties): void
  }
}
