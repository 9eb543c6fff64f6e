select app_private.reset_access('app_public.attachment_settings');

create policy select_member on app_public.attachment_settings for select to atum_customer, atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.attachment_settings for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.attachment_settings to atum_customer, atum_agent;
grant update (max_file_bytes, max_files_per_comment, allowed_content_types, refused_content_types, retention_days)
  on app_public.attachment_settings to atum_admin;

select app_private.reset_access('app_public.stored_files');

create policy select_admin on app_public.stored_files for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.stored_files to atum_admin;
-- NOTE: uploads and verdicts are written by functions.

select app_private.reset_access('app_private.upload_amounts');

select app_private.reset_access('app_public.attachments');

-- What is on no comment yet is its uploader's; what is on one is read by whoever reads the comment.
create policy select_member on app_public.attachments for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and case
      when comment_id is null then uploaded_by_id = (select app_hidden.current_user_id())
      else exists (
        select
        from app_public.comments as comment
        where comment.organization_id = attachments.organization_id and comment.id = attachments.comment_id
      )
    end
  );

grant select on app_public.attachments to atum_customer, atum_agent;
-- NOTE: uploads, comments and verdicts are written by functions.
