// Owns how the outside world is spoken to: providers of channels behind the ports that capabilities declare.
// Promises that an implementation tells what certainly happened, what certainly did not, and what nobody knows.
// Never decides whom to reach, and never keeps state of its own.
export { type Opening, openChannels, type SandboxAccess } from './open-channels.ts'
export { type AliyunOptions, openAliyun } from './sms/aliyun.ts'
export { type SmsChannelOptions, smsChannel } from './sms/channel.ts'
export { parseReceipts } from './sms/receipts.ts'
export { type WecomChannelOptions, wecomChannel } from './wecom/channel.ts'
