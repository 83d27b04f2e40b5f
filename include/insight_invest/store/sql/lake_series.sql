select macro_id, fred, description, status from tb_macro where fred is not null
