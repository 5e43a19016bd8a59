import { flag, ignored, integer, refused, secret, tls, z } from 'dray/sdk';

const proxy = 'requests go straight to the server; name a proxy that stands for it as "endpoint"';

/** How to reach the bucket; names as in DataX's ossreader and osswriter where it has them. */
export const bucketShape = {
  endpoint: z.string().min(1).optional().describe('URL of a server other than Amazon: http://127.0.0.1:9000'),
  region: z.string().optional().describe('Region; default us-east-1 with an endpoint, else what the environment says'),
  bucket: z.string().min(1).describe('Name of the bucket'),
  accessId: secret().optional().describe('Access key; without it environment, ~/.aws and the role of the machine are looked at'),
  accessKey: secret().optional().describe('Secret key; write "${env:NAME}" or "${file:path}"'),
  sessionToken: secret().optional().describe('Of temporary keys'),
  pathStyle: flag().optional().describe('The bucket stands in the path, not before the host name; default true with an endpoint'),
  tls: tls().describe('Of an endpoint with https://: the authority that signed its certificate, a certificate of ours'),
  partSize: integer({ min: 5, max: 5000 })
    .default(8)
    .describe('MB of a part of an upload; two more of them than "concurrency" are in memory for each task'),
  concurrency: integer({ min: 1, max: 64 }).default(4).describe('Requests side by side for one file'),
  maxAttempts: integer({ min: 1, max: 100 }).default(5).describe('How often a request is sent that fails for a reason that may pass'),
  requestChecksum: z
    .enum(['when-required', 'when-supported'])
    .default('when-required')
    .describe(
      'when-supported: requests and answers carry CRC32 sums, too, which Amazon has and many other servers refuse; parts are sent with their MD5 either way',
    ),
  proxyHost: refused(proxy),
  proxyPort: refused(proxy),
  proxyUsername: refused(proxy),
  proxyPassword: refused(proxy),
  proxyDomain: refused(proxy),
  proxyWorkstation: refused(proxy),
  hadoopConfig: ignored('Parquet files are read and written without Hadoop'),
  cname: ignored('"pathStyle" says how the bucket is addressed'),
};
