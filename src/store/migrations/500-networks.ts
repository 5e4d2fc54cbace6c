import type { Step } from './index.ts';

export const networks: Step = async (db, types) => {
  await db.schema
    .createTable('overlay_network')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('ipv6', 'text')
    .addColumn('ipv4', 'text')
    .addColumn('topology', 'text', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('overlay_instance')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('overlay_peer')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('network_id', 'text', (column) => column.notNull().references('overlay_network.id'))
    .addColumn('instance_id', 'text', (column) => column.references('overlay_instance.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('ipv6', 'text')
    .addColumn('ipv4', 'text')
    .addColumn('publicly_reachable', 'integer', (column) => column.notNull())
    .addColumn('public_ipv6', 'text')
    .addColumn('public_ipv4', 'text')
    .addColumn('proxy_https_port', 'integer')
    .addColumn('proxy_http_port', 'integer')
    .addColumn('endpoint', 'text')
    .addColumn('public_key', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addUniqueConstraint('peer_name', ['network_id', 'name'])
    .addUniqueConstraint('peer_instance', ['network_id', 'instance_id'])
    .addUniqueConstraint('peer_ipv6', ['network_id', 'ipv6'])
    .addUniqueConstraint('peer_ipv4', ['network_id', 'ipv4'])
    .execute();
  await db.schema.createIndex('peer_by_instance').on('overlay_peer').column('instance_id').execute();
  await db.schema
    .createTable('peer_agent')
    .addColumn('peer_id', 'text', (column) => column.primaryKey().references('overlay_peer.id'))
    .addColumn('certificate', 'text', (column) => column.notNull().unique())
    .addColumn('certificate_expires_at', types.integer, (column) => column.notNull())
    .addColumn('enrolled_at', types.integer, (column) => column.notNull())
    .addColumn('seen_at', types.integer)
    .addColumn('applied', 'text')
    .addColumn('report', 'text')
    .execute();
  await db.schema
    .createTable('peer_enrolment')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('peer_id', 'text', (column) => column.notNull().references('overlay_peer.id'))
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('expires_at', types.integer, (column) => column.notNull())
    .addColumn('used_at', types.integer)
    .execute();
  await db.schema
    .createTable('virtual_ip')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('network_id', 'text', (column) => column.notNull().references('overlay_network.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('ipv6', 'text')
    .addColumn('ipv4', 'text')
    .addColumn('holder_peer_id', 'text', (column) => column.notNull().references('overlay_peer.id'))
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addUniqueConstraint('virtual_ip_name', ['network_id', 'name'])
    .addUniqueConstraint('virtual_ip_ipv6', ['network_id', 'ipv6'])
    .addUniqueConstraint('virtual_ip_ipv4', ['network_id', 'ipv4'])
    .execute();
  await db.schema.createIndex('virtual_ip_by_holder').on('virtual_ip').column('holder_peer_id').execute();
  await db.schema
    .createTable('port_mapping')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('network_id', 'text', (column) => column.notNull().references('overlay_network.id'))
    .addColumn('hub_peer_id', 'text', (column) => column.notNull().references('overlay_peer.id'))
    .addColumn('listen_port', 'integer', (column) => column.notNull())
    .addColumn('protocol', 'text', (column) => column.notNull())
    .addColumn('target_virtual_ip_id', 'text', (column) => column.references('virtual_ip.id'))
    .addColumn('target_peer_id', 'text', (column) => column.references('overlay_peer.id'))
    .addColumn('target_port', 'integer', (column) => column.notNull())
    .addColumn('new_per_second', 'integer')
    .addColumn('most_connections', 'integer')
    .addColumn('sources_ipv6', 'text', (column) => column.notNull())
    .addColumn('sources_ipv4', 'text', (column) => column.notNull())
    .addColumn('preserve_source', 'integer', (column) => column.notNull())
    .addColumn('opened', 'integer', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addUniqueConstraint('port_mapping_listens', ['hub_peer_id', 'listen_port', 'protocol'])
    .execute();
  await db.schema.createIndex('port_mapping_by_network').on('port_mapping').column('network_id').execute();
  await db.schema.createIndex('port_mapping_by_virtual_ip').on('port_mapping').column('target_virtual_ip_id').execute();
  await db.schema.createIndex('port_mapping_by_peer').on('port_mapping').column('target_peer_id').execute();
};
