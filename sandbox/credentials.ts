/** What opens the simulated providers. No secret: they listen on loopback and reach nobody. */
export const sandboxCredentials = {
  wecom: { corpId: 'ww-sandbox', secret: 'sandbox-secret' },
  sms: { accessKeyId: 'sandbox-key', accessKeySecret: 'sandbox-secret' },
} as const
