import type { Step } from './index.ts';

export const missions: Step = async (db, types) => {
  await db.schema
    .createTable('mission')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('inputs', 'text', (column) => column.notNull())
    .addColumn('plan', 'text', (column) => column.notNull())
    .addColumn('plan_digest', 'text', (column) => column.notNull())
    .addColumn('warnings', 'text', (column) => column.notNull())
    .addColumn('result', 'text')
    .addColumn('problem', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('asked_by', 'text', (column) => column.notNull())
    .addColumn('approvals_needed', 'integer', (column) => column.notNull())
    .addColumn('rejected_by', 'text')
    .addColumn('reject_reason', 'text')
    .addColumn('expires_at', types.integer, (column) => column.notNull())
    .addColumn('runner', 'text')
    .addColumn('runner_until', types.integer)
    .addColumn('fence', 'integer', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('mission_by_status').on('mission').columns(['status', 'id']).execute();
  await db.schema
    .createTable('mission_approval')
    .addColumn('mission_id', 'text', (column) => column.notNull().references('mission.id'))
    .addColumn('by_actor', 'text', (column) => column.notNull())
    .addColumn('plan_digest', 'text', (column) => column.notNull())
    .addColumn('at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('mission_approval_key', ['mission_id', 'by_actor'])
    .execute();
  await db.schema
    .createTable('mission_step')
    .addColumn('mission_id', 'text', (column) => column.notNull().references('mission.id'))
    .addColumn('step', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('outputs', 'text', (column) => column.notNull())
    .addColumn('problem', 'text')
    .addColumn('started_at', types.integer, (column) => column.notNull())
    .addColumn('finished_at', types.integer)
    .addPrimaryKeyConstraint('mission_step_key', ['mission_id', 'step'])
    .execute();
  await db.schema
    .createTable('mission_event')
    .addColumn('seq', types.serial, types.serialKey)
    .addColumn('mission_id', 'text', (column) => column.notNull().references('mission.id'))
    .addColumn('at', types.integer, (column) => column.notNull())
    .addColumn('step', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('mission_event_by_mission').on('mission_event').columns(['mission_id', 'seq']).execute();
  await db.schema
    .createTable('exposure')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('hostname', 'text', (column) => column.notNull())
    .addColumn('protocol', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('termination', 'text', (column) => column.notNull())
    .addColumn('network_id', 'text', (column) => column.notNull().references('overlay_network.id'))
    .addColumn('hub_peer_id', 'text', (column) => column.notNull().references('overlay_peer.id'))
    .addColumn('listen_port', 'integer', (column) => column.notNull())
    .addColumn('backend_port', 'integer', (column) => column.notNull())
    .addColumn('target_peer_id', 'text', (column) => column.notNull().references('overlay_peer.id'))
    .addColumn('virtual_ip_id', 'text', (column) => column.notNull().references('virtual_ip.id'))
    .addColumn('port_mapping_id', 'text', (column) => column.references('port_mapping.id'))
    .addColumn('certificate_id', 'text')
    .addColumn('issuer', 'text')
    .addColumn('mission_id', 'text', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .addUniqueConstraint('exposure_host', ['hostname', 'protocol'])
    .execute();
  await db.schema.createIndex('exposure_by_network').on('exposure').columns(['network_id', 'id']).execute();
  await db.schema.createIndex('exposure_by_mapping').on('exposure').column('port_mapping_id').execute();
  await db.schema.createIndex('exposure_by_virtual_ip').on('exposure').column('virtual_ip_id').execute();
  await db.schema
    .createTable('conversation')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('asked_by', 'text', (column) => column.notNull())
    .addColumn('draft', 'text', (column) => column.notNull())
    .addColumn('mission_id', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('conversation_by_asker').on('conversation').columns(['asked_by', 'id']).execute();
  await db.schema
    .createTable('conversation_message')
    .addColumn('seq', types.serial, types.serialKey)
    .addColumn('conversation_id', 'text', (column) => column.notNull().references('conversation.id'))
    .addColumn('at', types.integer, (column) => column.notNull())
    .addColumn('author', 'text', (column) => column.notNull())
    .addColumn('by_actor', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('message_by_conversation')
    .on('conversation_message')
    .columns(['conversation_id', 'seq'])
    .execute();
};
