import { type CertificateFiles, type Server, upstreamPort, write } from './setting.ts';

export const nginx: Server = (setting) => {
  if (setting.upstream === 'h2c') return undefined;
  const { directory, port, certificates, cores } = setting;
  const tls = ({ cert, key }: CertificateFiles) => `ssl_certificate ${cert}; ssl_certificate_key ${key};`;
  const reuse = cores > 1 ? ' reuseport' : '';
  const servers = certificates.map((entry, index) =>
    index === 0
      ? `server { listen 127.0.0.1:${port} ssl http2 default_server backlog=4096${reuse}; ${tls(entry)} ${LOCATION} }`
      : `server { listen 127.0.0.1:${port} ssl http2; server_name ${entry.names.join(' ')}; ${tls(entry)} ${LOCATION} }`,
  );
  const config = `
user root; daemon off; worker_processes ${cores}; pid ${directory}/nginx.pid; error_log ${directory}/nginx.log;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; http2_max_concurrent_streams 256;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  upstream backend { server 127.0.0.1:${upstreamPort(setting)}; keepalive 1024; keepalive_requests 100000000; }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m;
  ${servers.join('\n')}
}`;
  return { command: 'nginx', arguments: ['-p', directory, '-c', write(setting, 'nginx.conf', config)] };
};

const LOCATION = `location / {
  proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection $connection_upgrade;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Real-IP $remote_addr; proxy_read_timeout 600s;
}`;
