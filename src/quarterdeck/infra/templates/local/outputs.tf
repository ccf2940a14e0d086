output "project_name" {
  value = terraform_data.project.output.name
}

output "cluster_name" {
  value = one(terraform_data.cluster[*].output.name)
}

output "nodes" {
  value = [for node in terraform_data.node : node.output.name]
}

output "database_names" {
  value = sort(keys(terraform_data.database))
}

output "queue_names" {
  value = sort(keys(terraform_data.queue))
}

output "secret_values" {
  value     = { for name, item in terraform_data.secret : name => item.id }
  sensitive = true
}

output "access_token" {
  value     = terraform_data.project.id
  sensitive = true
}
