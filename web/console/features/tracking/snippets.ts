/** How each SDK is pointed at this program, ready to be copied. */
export function snippetsOf(
  writeKey: string,
  { segment, sensors }: { segment: string; sensors: string },
  here: string,
): { title: string; code: string }[] {
  const at = (path: string): URL => new URL(path, here)
  const { protocol, host, origin } = at(segment)
  return [
    {
      title: '@segment/analytics-next',
      code: `AnalyticsBrowser.load({
  writeKey: '${writeKey}',
  cdnSettings: {
    integrations: {
      'Segment.io': { apiKey: '${writeKey}', apiHost: '${host}/v1', protocol: '${protocol.slice(0, -1)}' },
    },
  },
})`,
    },
    {
      title: '@segment/analytics-node',
      code: `new Analytics({ writeKey: '${writeKey}', host: '${origin}', path: '/v1/batch' })`,
    },
    {
      title: 'sa-sdk-javascript',
      code: `sensors.init({ server_url: '${at(`${sensors}.gif`).href}?project=production&token=${writeKey}' })`,
    },
    {
      title: 'sa-sdk-node',
      code: `sa.submitTo({ url: '${at(sensors).href}?project=production&token=${writeKey}', gzip: true, mode: 'track' })`,
    },
    {
      title: 'curl',
      code: `curl ${at(`${segment}/track`).href} -u '${writeKey}:' -H 'content-type: application/json' \\
  -d '{"userId":"M0001","event":"Product Viewed","properties":{"sku":"A100","price":199}}'`,
    },
  ]
}
