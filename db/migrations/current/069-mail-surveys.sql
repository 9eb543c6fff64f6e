alter table app_public.mail_messages
  add column survey_id uuid,
  add constraint mail_messages_organization_id_survey_id_fkey
    foreign key (organization_id, survey_id) references app_public.csat_surveys on delete set null (survey_id);

create index mail_messages_organization_id_survey_id_idx on app_public.mail_messages (organization_id, survey_id) where survey_id is not null;

comment on column app_public.mail_messages.survey_id is 'The survey it asks for, or null.';
